/** Messages on their way to a client, never far ahead of what it reads. */

import type { ServerWritableStream } from '@grpc/grpc-js';

/** Bytes that may wait for a client before the next message is asked for. */
export const MAX_UNSENT_BYTES = 64 * 1024;

/**
 * Writes to a call. A client that does not read holds {@link MAX_UNSENT_BYTES} and one message of the server's memory: the
 * stream's own measure would be 16 messages of any size.
 */
export class Outgoing {
  readonly #call: Pick<ServerWritableStream<unknown, Buffer>, 'write'>;
  readonly #gone: AbortSignal;
  #unsent = 0;
  #wake: (() => void) | undefined;

  /** @param gone aborted when the client has gone: nothing is waited for then. */
  constructor(call: Pick<ServerWritableStream<unknown, Buffer>, 'write'>, gone: AbortSignal) {
    this.#call = call;
    this.#gone = gone;
    gone.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  /** Resolves when there is room for the next one. */
  async send(message: Buffer): Promise<void> {
    const { length } = message;
    this.#unsent += length;
    this.#call.write(message, () => {
      this.#unsent -= length;
      this.#wake?.();
    });
    while (this.#unsent > MAX_UNSENT_BYTES && !this.#gone.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}
