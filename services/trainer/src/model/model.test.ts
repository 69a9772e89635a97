import '@tensorflow/tfjs';
import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { lenet } from './lenet.ts';
import { type Model, sizeOf, weightCount } from './model.ts';
import { getModel, listModels } from './registry.ts';

beforeAll(() => tf.setBackend('cpu'));

/** The flat vector as tensors. */
function tensors(model: Model, weights: Float32Array): tf.Tensor[] {
  let offset = 0;
  return model.parameters.map(({ shape }) => {
    const values = weights.subarray(offset, offset + sizeOf(shape));
    offset += values.length;
    return tf.tensor(values, [...shape]);
  });
}

describe.each(listModels().map((model) => [model.id, model] as const))('%s', (id, model) => {
  it('is found by its id', () => {
    expect(getModel(id)).toBe(model);
  });

  it('starts from the same weights for the same seed, and others for another', () => {
    const weights = model.initialise(0);
    expect(weights.length).toBe(weightCount(model));
    expect(model.initialise(0)).toEqual(weights);
    expect(model.initialise(1)).not.toEqual(weights);
    expect(weights.every((w) => Number.isFinite(w) && w !== 0)).toBe(true);
  });

  it('makes finite logits of the shape it says, a row for each example', () => {
    tf.tidy(() => {
      const x = tf.randomUniform([3, ...model.inputShape], 0, 1, 'float32', 'x');
      const logits = model.apply(tensors(model, model.initialise(2)), x);
      expect(logits.shape).toEqual([3, model.classes]);
      expect([...logits.dataSync()].every(Number.isFinite)).toBe(true);
      const alone = model.apply(tensors(model, model.initialise(2)), x.slice([1], [1]));
      expect(alone.dataSync()[0]).toBeCloseTo(logits.dataSync()[model.classes] ?? Number.NaN, 5);
    });
  });

  it('accepts its own input shape only', () => {
    expect(model.accepts(model.inputShape)).toBe(true);
    expect(model.accepts([32, 32, 3])).toBe(false);
    expect(model.accepts([28, 28])).toBe(false);
  });
});

describe('initial weights', () => {
  it('are the same on every machine', () => {
    const [first, second] = lenet.initialise(0);
    expect([first, second]).toEqual([0.11886504292488098, 0.0999201089143753]);
  });

  it('are spread over ±1/√fanIn', () => {
    const weights = lenet.initialise(3);
    const kernel2 = weights.subarray(416, 416 + 6400);
    expect(Math.max(...kernel2)).toBeGreaterThan(0.049);
    expect(Math.max(...kernel2)).toBeLessThanOrEqual(0.05);
    expect(Math.min(...kernel2)).toBeLessThan(-0.049);
  });
});

describe('lenet', () => {
  it('has 15,386 weights in the order and shapes of the reference', async () => {
    const file = new URL('../../fixtures/hyper.json', import.meta.url);
    const reference = JSON.parse(await readFile(file, 'utf8'));
    expect(weightCount(lenet)).toBe(15_386);
    expect(lenet.parameters.map(({ shape }) => shape)).toEqual(
      reference.param_order.map((name: string) => reference.shapes[name]),
    );
  });

  it('equals the network written with stock operations, bias before pooling', () => {
    tf.tidy(() => {
      const weights = tensors(lenet, lenet.initialise(1));
      const [k1, b1, k2, b2, k3, b3, k4, b4] = weights as [
        tf.Tensor4D,
        tf.Tensor,
        tf.Tensor4D,
        ...tf.Tensor2D[],
      ];
      const x = tf.randomUniform<tf.Rank.R4>([2, 28, 28, 1], -1, 1, 'float32', 'x');
      const block = (input: tf.Tensor4D, k: tf.Tensor4D, b: tf.Tensor) =>
        tf.leakyRelu(
          tf.maxPool(tf.add(tf.conv2d(input, k, 1, 'valid'), b) as tf.Tensor4D, 2, 2, 'valid'),
          0.01,
        );
      const flat = tf.reshape(block(block(x, k1, b1), k2, b2 as tf.Tensor), [2, 256]) as tf.Tensor2D;
      const hidden = tf.leakyRelu(
        tf.add(tf.matMul(flat, k3 as tf.Tensor2D), b3 as tf.Tensor),
        0.01,
      ) as tf.Tensor2D;
      const expected = tf.add(tf.matMul(hidden, k4 as tf.Tensor2D), b4 as tf.Tensor);
      const error = tf.max(tf.abs(tf.sub(expected, lenet.apply(weights, x))));
      expect(error.dataSync()[0]).toBeLessThan(1e-6);
    });
  });
});

it('an unknown model is refused with the names of the known ones', () => {
  expect(() => getModel('resnet')).toThrow(/"resnet".*lenet, mlp/);
});
