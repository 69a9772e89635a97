import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { initBackend } from '../../backend/select.ts';
import { getModel } from '../registry.ts';
import { LAYERS } from './layer-options.ts';
import { largestDifference, tensors } from './testing.ts';

const FIXTURES = fileURLToPath(new URL('./fixtures', import.meta.url));

interface Case {
  readonly shape: number[];
  readonly classes: number;
  readonly x: number[][];
  readonly logits: number[][];
}
const EXPECTED = JSON.parse(await readFile(join(FIXTURES, 'expected.json'), 'utf8')) as Record<string, Case>;

beforeAll(() => initBackend({ backend: 'cpu', log: () => {} }));

const centred = (logits: tf.Tensor): tf.Tensor => tf.sub(logits, tf.mean(logits, -1, true));
describe('a model of Keras 2', () => {
  it.each(Object.entries(EXPECTED))(
    '%s has the logits that Keras computes',
    async (id, { shape, classes, x, logits }) => {
      const model = await getModel(id, { inputShape: shape, classes }, FIXTURES);
      tf.tidy(() => {
        const found = model.apply(tensors(model), tf.tensor(x, [x.length, ...shape]));
        expect(largestDifference(centred(found), centred(tf.tensor(logits)))).toBeLessThan(1e-5);
      });
    },
  );

  it.each<[string, RegExp]>([
    ['conv-groups', /layer "conv2d" \(Conv2D\): groups is 2, and only 1 is implemented; split the channels/],
    ['keepdims-conv', /layer "gap" \(GlobalAveragePooling2D\): keepdims is true, and only false.*Reshape/],
    ['leaky-keras3', /saved by Keras 3 \(generatedBy is keras v3\.4\.1\).*tf_keras/],
    [
      'ensemble-average',
      /the probabilities of layer "a" by layer "avg" \(Average\).*one softmax, at the end/,
    ],
  ])('%s is refused with what is not implemented, and what to do', async (id, message) => {
    await expect(getModel(id, { inputShape: [1], classes: 3 }, FIXTURES)).rejects.toThrow(message);
  });
});

it('docs/models.md lists the layers', async () => {
  const file = new URL('../../../../../docs/models.md', import.meta.url);
  const table =
    (await readFile(file, 'utf8')).split('| layers | not implemented |')[1]?.split('\n\n')[0] ?? '';
  const first = table.split('\n').map((line) => line.split('|')[1] ?? '');
  const named = first.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(named.sort()).toEqual(Object.keys(LAYERS).sort());
});
