/** The way to the process that started this one, for our messages alone: a user's module would speak in our name. */

const send = process.send?.bind(process);
delete process.send;

/** Without a channel the parent is gone, and so is this process in a moment. */
export function tellParent(message: object): void {
  if (process.connected) send?.(message);
}
