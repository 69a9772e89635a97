/** What of the set-up a command of the trainer has a use for: a token needs no DMD service, which takes minutes to compile. */

const ABOUT_ITSELF = ['--help', '-h', '--version', '-V'];

/** Whether these arguments start a server, or ask whether one would come up. */
export function needsServices([command = '', ...rest]: readonly string[]): boolean {
  if (command === 'token' || command === 'data') return false;
  // Asks one that runs.
  if (command === 'check' && rest.some((argument) => /^--address(=|$)/.test(argument))) return false;
  return ![command, ...rest].some((argument) => ABOUT_ITSELF.includes(argument));
}
