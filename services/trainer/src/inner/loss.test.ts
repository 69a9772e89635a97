import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { defineModel } from '../model/model.ts';
import { evaluate, inChunks } from './loss.ts';

beforeAll(() => tf.setBackend('cpu'));

/** A model that keeps so many numbers for each example, and tells with how many examples it was called. */
function modelKeeping(numbers: number, calls: number[]) {
  return defineModel({
    id: 'wide',
    description: 'Keeps much',
    inputShape: [1],
    classes: 2,
    parameters: [{ name: 'kernel', shape: [1, 2], fanIn: 1 }],
    apply([kernel], x) {
      calls.push(x.shape[0] as number);
      tf.zeros([x.shape[0] as number, numbers]);
      return tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D);
    },
  });
}
const examples = (count: number) => ({
  x: tf.linspace(-1, 1, count).reshape([count, 1]),
  labels: tf.zeros([count], 'int32') as tf.Tensor1D,
});
const parameters = () => [tf.tensor2d([[1, -1]])];

it('takes fewer examples at once when the model keeps more of each', () => {
  tf.tidy(() => {
    const calls: number[] = [];
    const small = inChunks(modelKeeping(10, []), parameters(), examples(2000));
    const large = inChunks(modelKeeping(2 ** 20, calls), parameters(), examples(2000));
    expect(small.map(({ labels }) => labels.size)).toEqual([1000, 1000]);
    // 4 MiB each, a bound of 512 MiB.
    expect(Math.max(...large.map(({ labels }) => labels.size))).toBeLessThanOrEqual(128);
    expect(large.reduce((sum, { labels }) => sum + labels.size, 0)).toBe(2000);
    expect(calls).toEqual([1]);
  });
});

it('evaluation does not hold what it has done with', () => {
  tf.tidy(() => {
    const calls: number[] = [];
    const before = tf.memory().numBytes;
    let most = 0;
    const model = modelKeeping(2 ** 20, calls);
    const watching = {
      ...model,
      apply(weights: readonly tf.Tensor[], x: tf.Tensor) {
        most = Math.max(most, tf.memory().numBytes - before);
        return model.apply(weights, x);
      },
    };
    const { loss, examples: count } = evaluate(watching, parameters(), examples(300));
    expect(count).toBe(300);
    expect(loss).toBeGreaterThan(0);
    expect(calls).toEqual([1, 100, 100, 100]);
    // Of three times 400 MiB none is there when the next comes.
    expect(most).toBeLessThan(2 ** 20);
  });
});
