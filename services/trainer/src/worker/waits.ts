/** Whether a training process waits for somebody else, which is not to be taken for a standstill. */

export class Waits {
  #count = 0;

  /** Whether anything is waited for. */
  get any(): boolean {
    return this.#count > 0;
  }

  /** Waits for what somebody else does. */
  async for<T>(what: Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await what;
    } finally {
      this.#count -= 1;
    }
  }
}
