import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readIdx } from './idx.ts';
import { makeEmbedded } from './make-embedded.ts';
import { allFiles, fashionMnist10k } from './sources.ts';
import { hasIdxSet, lacks } from './testing.ts';

it('makes the embedded files again from the full set', async ({ skip }) => {
  skip(!hasIdxSet('fashion-mnist'), lacks('fashion-mnist'));
  const folder = mkdtempSync(join(tmpdir(), 'glocal-embedded-'));
  try {
    await makeEmbedded(folder);
    for (const { name, rank } of allFiles(fashionMnist10k)) {
      const [made, committed] = await Promise.all(
        [folder, fashionMnist10k.folder].map((place) => readIdx(join(place, name), rank)),
      );
      // Decompressed: zlib's versions compress differently.
      expect(Buffer.compare(made?.bytes as Uint8Array, committed?.bytes as Uint8Array), name).toBe(0);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
