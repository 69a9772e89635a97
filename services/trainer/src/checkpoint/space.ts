/** How many bytes the checkpoints of all trials may take. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessAbsent } from './folder.ts';

/**
 * Looks at the files each time: every training process writes its own. Two that look at the same moment may together pass the
 * limit by one checkpoint.
 */
export class CheckpointSpace {
  readonly #root: string;
  readonly #maxBytes: number;

  /**
   * @param root folder of all checkpoints.
   * @param maxBytes 0 for no limit.
   */
  constructor(root: string, maxBytes: number) {
    this.#root = root;
    this.#maxBytes = maxBytes;
  }

  /** Why there is no room for so many more; undefined when there is. */
  async lacks(bytes: number): Promise<string | undefined> {
    if (this.#maxBytes === 0) return undefined;
    const taken = await bytesBelow(this.#root);
    if (taken + bytes <= this.#maxBytes) return undefined;
    return `it has ${bytes} bytes, and ${taken} of the ${this.#maxBytes} that checkpoints may have are taken (--max-checkpoint-bytes)`;
  }
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await unlessAbsent(() => readdir(folder, { recursive: true, withFileTypes: true }), []);
  const files = entries.filter((entry) => entry.isFile());
  const sizes = files.map(({ parentPath, name }) =>
    // One that is removed meanwhile takes nothing.
    unlessAbsent(async () => (await stat(join(parentPath, name))).size, 0),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
