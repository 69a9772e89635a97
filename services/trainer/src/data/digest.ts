/** What tells one content of a data set from another. */

import { createHash } from 'node:crypto';
import type { LabelledExamples } from './examples.ts';
import type { Dataset } from './registry.ts';

/** SHA-256 of all examples of both parts, with their shapes and classes, in lower-case hexadecimal digits. */
export function datasetSha256({ train, test }: Pick<Dataset, 'train' | 'test'>): string {
  const hash = createHash('sha256');
  for (const part of [train, test]) {
    hash.update(describe(part));
    hash.update(bytesOf(part.values));
    hash.update(bytesOf(part.labels));
  }
  return hash.digest('hex');
}

const describe = ({ count, shape, classes, values }: LabelledExamples): string =>
  `${JSON.stringify({ count, shape, classes, values: values instanceof Uint8Array ? 'bytes' : 'float32' })}\n`;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
