/** The memory that windows on their way take, of all clients together. */

import { BusyError } from '../resource/errors.ts';

const RETRY_AFTER_MS = 30_000;

export class WindowRoom {
  readonly #maxBytes: number;
  #taken = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes room for a window until it is disposed of. The first one always gets it.
   * @throws BusyError when there is not enough.
   */
  take(bytes: number): Disposable {
    if (this.#taken > 0 && this.#taken + bytes > this.#maxBytes) {
      const left = this.#maxBytes - this.#taken;
      const message = `windows that are being reported leave ${left} bytes, and one of this trial takes ${bytes}`;
      throw new BusyError('REPORT_BYTES', message, RETRY_AFTER_MS);
    }
    this.#taken += bytes;
    return {
      [Symbol.dispose]: () => {
        this.#taken -= bytes;
      },
    };
  }
}
