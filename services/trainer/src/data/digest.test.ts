import { expect, it } from 'vitest';
import { datasetSha256 } from './digest.ts';
import type { LabelledExamples } from './examples.ts';

const part = (changes: Partial<LabelledExamples> = {}): LabelledExamples => ({
  count: 2,
  shape: [2],
  classes: 2,
  values: Float32Array.of(1, 2, 3, 4),
  labels: Int32Array.of(0, 1),
  ...changes,
});
const of = (train: LabelledExamples, test = part()) => datasetSha256({ train, test });

it('is the same for the same examples, wherever they lie in memory', () => {
  const shared = Float32Array.of(9, 1, 2, 3, 4);
  expect(of(part({ values: shared.subarray(1) }))).toBe(of(part()));
  expect(of(part())).toMatch(/^[0-9a-f]{64}$/);
});

it.each<[string, Partial<LabelledExamples>]>([
  ['a value', { values: Float32Array.of(1, 2, 3, 5) }],
  ['a label', { labels: Int32Array.of(1, 1) }],
  ['the shape', { shape: [2, 1] }],
  ['the number of classes', { classes: 3 }],
  ['the type of values', { values: Uint8Array.of(1, 2, 3, 4) }],
])('is another when %s is another', (_, changes) => {
  expect(of(part(changes))).not.toBe(of(part()));
  expect(of(part(), part(changes))).not.toBe(of(part()));
});
