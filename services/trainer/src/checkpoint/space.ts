/** How many bytes the checkpoints of all trials may take. */

import type { ObjectStore } from '../objects/store.ts';

/**
 * Looks at all of them each time: every training process writes its own. Two that look at the same moment may together pass the
 * limit by one checkpoint.
 */
export class CheckpointSpace {
  readonly #objects: Pick<ObjectStore, 'list'>;
  readonly #maxBytes: number;

  /**
   * @param objects all checkpoints.
   * @param maxBytes 0 for no limit.
   */
  constructor(objects: Pick<ObjectStore, 'list'>, maxBytes: number) {
    this.#objects = objects;
    this.#maxBytes = maxBytes;
  }

  /** Why there is no room for so many more; undefined when there is. */
  async lacks(bytes: number): Promise<string | undefined> {
    if (this.#maxBytes === 0) return undefined;
    let taken = 0;
    for await (const object of this.#objects.list('')) taken += object.bytes;
    if (taken + bytes <= this.#maxBytes) return undefined;
    return `it has ${bytes} bytes, and ${taken} of the ${this.#maxBytes} that checkpoints may have are taken (--max-checkpoint-bytes)`;
  }
}
