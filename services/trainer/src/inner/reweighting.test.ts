import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { exampleWeights, initialNetwork } from './reweighting.ts';
import { networkSize } from './reweighting-size.ts';

beforeAll(() => tf.setBackend('cpu'));

it('the meta-module of the paper has 385 weights', () => {
  expect(networkSize({ hidden: 128 })).toBe(385);
});

it('initial weights follow from the seed and are spread by the inputs of each unit', () => {
  const weights = initialNetwork({ hidden: 128 }, 7);
  expect(weights).toEqual(initialNetwork({ hidden: 128 }, 7));
  expect(weights).not.toEqual(initialNetwork({ hidden: 128 }, 8));
  expect(weights.length).toBe(385);
  const largest = (part: Float32Array) => Math.max(...part.map(Math.abs));
  expect(largest(weights.subarray(0, 256))).toBeGreaterThan(0.9);
  expect(largest(weights.subarray(0, 256))).toBeLessThanOrEqual(1);
  expect(largest(weights.subarray(256))).toBeGreaterThan(0.08);
  expect(largest(weights.subarray(256))).toBeLessThanOrEqual(1 / Math.sqrt(128));
});

it('weights of examples are σ(k₂ relu(k₁ l + b₁) + b₂)', () => {
  const network = tf.tensor1d([1, -2, 0.5, 1, 3, -1, 0.25]);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const [first, second] = exampleWeights(network, tf.tensor1d([0.25, 2])).dataSync();
  expect(first).toBeCloseTo(sigmoid(3 * 0.75 - 1 * 0.5 + 0.25), 6);
  expect(second).toBeCloseTo(sigmoid(3 * 2.5 + 0.25), 6);
});
