/** Program: makes the embedded data set from the full one. Deterministic up to the compression. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type LabelledExamples, subset } from './examples.ts';
import { encodeIdx } from './idx.ts';
import { loadDataset } from './registry.ts';
import { fashionMnist10k, type PartFiles } from './sources.ts';
import { membersByClass } from './split.ts';

/**
 * Writes the first 1,000 training and 200 test images of each class of Fashion-MNIST, in their order there, as idx
 * files.
 */
export async function makeEmbedded(folder: string): Promise<void> {
  const { train, test } = await loadDataset('fashion-mnist', { log: console.error });
  const { info, ...parts } = fashionMnist10k;
  await mkdir(folder, { recursive: true });
  await writePart(folder, parts.train, firstOfEachClass(train, info.trainExamples / info.classes));
  await writePart(folder, parts.test, firstOfEachClass(test, info.testExamples / info.classes));
}

function firstOfEachClass(examples: LabelledExamples, perClass: number): LabelledExamples {
  const chosen = membersByClass(examples.labels, examples.classes).flatMap((members) =>
    members.slice(0, perClass),
  );
  return subset(examples, Uint32Array.from(chosen).sort());
}

async function writePart(
  folder: string,
  { images, labels }: PartFiles,
  examples: LabelledExamples,
): Promise<void> {
  const [height = 0, width = 0] = examples.shape;
  const write = (name: string, idx: Uint8Array) => writeFile(join(folder, name), gzipSync(idx, { level: 9 }));
  await write(images.name, encodeIdx([examples.count, height, width], examples.values));
  await write(labels.name, encodeIdx([examples.count], examples.labels));
}

if (import.meta.main) await makeEmbedded(fashionMnist10k.folder);
