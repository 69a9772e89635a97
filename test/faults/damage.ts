/** Damage to files of a server that does not run. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from './random.ts';

/**
 * Of each trial the newest checkpoint is cut off, or a bit of it is flipped.
 * @param root folder of all checkpoints.
 */
export function damageNewestCheckpoints(root: string, random: Random): void {
  for (const folder of foldersIn(root).flatMap(foldersIn)) {
    const newest = readdirSync(folder)
      .filter((name) => name.endsWith('.ckpt'))
      .sort((one, other) => Number.parseInt(other, 10) - Number.parseInt(one, 10))[0];
    if (newest !== undefined) damage(join(folder, newest), random);
  }
}

function damage(file: string, random: Random): void {
  const bytes = readFileSync(file);
  const at = Math.floor(random.between(0, bytes.length));
  const cut = random.oneOf([true, false]);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, cut ? bytes.subarray(0, at) : bytes);
}

const foldersIn = (path: string): string[] =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(path, name))
    : [];
