/** What a training process has told and the server has not stored yet: it waits rather than to pile it up. */

export class Unacknowledged {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  /** Sizes in bytes, in the order of sending, which is that of acknowledging. */
  readonly #sizes: number[] = [];
  #bytes = 0;
  #wake: (() => void) | undefined;

  constructor(limits: { readonly maxCount: number; readonly maxBytes: number }) {
    this.#maxCount = limits.maxCount;
    this.#maxBytes = limits.maxBytes;
  }

  /** Something of this size was sent. Resolves when there is room for more. */
  async sent(bytes: number): Promise<void> {
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    while (this.#sizes.length > this.#maxCount || (this.#sizes.length > 1 && this.#bytes > this.#maxBytes)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The oldest that was sent has been stored. */
  acknowledged(): void {
    this.#bytes -= this.#sizes.shift() ?? 0;
    this.#wake?.();
  }
}
