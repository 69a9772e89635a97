import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { hessianVectorProduct } from '../ad/jvp.ts';
import { initBackend } from '../backend/select.ts';
import { meanLoss } from '../inner/loss.ts';
import { ModelError } from './errors.ts';
import type { ModelFamily } from './family.ts';
import { lenet as lenetFamily } from './lenet.ts';
import { type Model, sizeOf, type Task, weightCount } from './model.ts';
import { BUILT_IN, getModel } from './registry.ts';
import { wideResnet } from './wide-resnet.ts';

beforeAll(() => initBackend({ backend: 'cpu', log: () => {} }));

/** The flat vector as tensors. */
function tensors(model: Model, weights: Float32Array): tf.Tensor[] {
  let offset = 0;
  return model.parameters.map(({ shape }) => {
    const values = weights.subarray(offset, offset + sizeOf(shape));
    offset += values.length;
    return tf.tensor(values, [...shape]);
  });
}

const lenet = lenetFamily.build(lenetFamily.typical);

/** Small enough for the cpu backend, and not what the models are best known for. */
const SMALL: Readonly<Record<string, Task>> = {
  logistic: { inputShape: [5], classes: 3 },
  mlp: { inputShape: [3, 2, 1], classes: 3 },
  lenet: { inputShape: [16, 17, 2], classes: 3 },
  'wide-resnet-16-2': { inputShape: [8, 10, 2], classes: 3 },
  'wide-resnet-28-2': { inputShape: [9, 8, 1], classes: 3 },
  'wide-resnet-10-1': { inputShape: [8, 8, 2], classes: 3 },
};
const WEIGHTS: Readonly<Record<string, number>> = {
  logistic: 7_850,
  mlp: 101_770,
  lenet: 15_386,
  'wide-resnet-16-2': 691_674,
  'wide-resnet-28-2': 1_467_610,
};

const families = BUILT_IN.map((family) => [family.id, family] as const);
const smallTask = ({ id }: ModelFamily) => SMALL[id] as Task;

const number = (scalar: tf.Tensor): number => scalar.dataSync()[0] as number;

describe.each(families)('%s', (id, family) => {
  it('is found by its id, and built for the examples and classes of a data set', async () => {
    const task = smallTask(family);
    const model = await getModel(id, task);
    expect(model).toMatchObject({ id, ...task });
    expect(model.parameters.at(-1)?.shape).toEqual([3]);
    expect(family.weights).toBe(WEIGHTS[id]);
  });

  it('starts from the same weights for the same seed, and others for another', () => {
    const model = family.build(smallTask(family));
    const weights = model.initialise(0);
    expect(weights.length).toBe(weightCount(model));
    expect(model.initialise(0)).toEqual(weights);
    expect(model.initialise(1)).not.toEqual(weights);
    expect(weights.every(Number.isFinite)).toBe(true);
  });

  it('makes finite logits, a row for each example whatever the others are', () => {
    tf.tidy(() => {
      const model = family.build(smallTask(family));
      const parameters = tensors(model, model.initialise(2));
      const x = tf.randomUniform([3, ...model.inputShape], 0, 1, 'float32', 'x');
      const logits = model.apply(parameters, x);
      expect(logits.shape).toEqual([3, 3]);
      expect([...logits.dataSync()].every(Number.isFinite)).toBe(true);
      const alone = model.apply(parameters, x.slice([1], [1]));
      expect(alone.dataSync()[0]).toBeCloseTo(logits.dataSync()[3] ?? Number.NaN, 4);
    });
  });

  it('accepts its own input shape only', () => {
    const model = family.build(smallTask(family));
    expect(model.accepts(model.inputShape)).toBe(true);
    expect(model.accepts([32, 32, 3])).toBe(false);
    expect(model.accepts([28, 28])).toBe(false);
  });
});

/** Deep enough to have every kind of block. */
const smallResnet = wideResnet(10, 1);
const derived = [...BUILT_IN.slice(0, 3), smallResnet].map((family) => [family.id, family] as const);

describe.each(derived)('derivatives of %s', (_id, family) => {
  const model = family.build(smallTask(family));
  /** Loss, weights, and two directions: as far for each tensor as it is large, or a tenth. */
  const problem = () => {
    const x = tf.randomUniform([4, ...model.inputShape], -1, 1, 'float32', 'images');
    const loss = meanLoss(model, { x, labels: tf.tensor1d([0, 2, 1, 2], 'int32') });
    const weights = tensors(model, model.initialise(5));
    const direction = (seed: string) =>
      weights.map((weight, i) => {
        const size = Math.max(0.1, Math.sqrt(number(tf.mean(tf.square(weight)))));
        return tf.randomUniform(weight.shape, -size, size, 'float32', `${seed}${i}`);
      });
    return { loss, weights, u: direction('u'), v: direction('v') };
  };
  const along = (weights: tf.Tensor[], u: tf.Tensor[], distance: number) =>
    weights.map((weight, i) => tf.add(weight, tf.mul(u[i] as tf.Tensor, distance)));
  const product = (a: tf.Tensor[], b: tf.Tensor[]) =>
    number(tf.addN(a.map((tensor, i) => tf.sum(tf.mul(tensor, b[i] as tf.Tensor)))));

  it('of the loss are those that differences have', () => {
    tf.tidy(() => {
      const { loss, weights, u } = problem();
      const step = 3e-4;
      const change =
        number(tf.sub(loss(along(weights, u, step)), loss(along(weights, u, -step)))) / (2 * step);
      const { gradients } = hessianVectorProduct(loss, weights, u);
      expect(Math.abs(product(gradients, u) - change)).toBeLessThan(5e-4);
    });
  });

  it('of the gradient are those that differences have, where no unit switches', () => {
    tf.tidy(() => {
      const { loss, weights, u } = problem();
      // Only the last layer moves: all units before it stay on their side of the rectifier's kink.
      const last = u.map((tensor, i) => (i < u.length - 2 ? tf.zerosLike(tensor) : tensor));
      const gradient = (at: tf.Tensor[]) => tf.grads((...p: tf.Tensor[]) => loss(p))(at);
      const { products } = hessianVectorProduct(loss, weights, last);
      const [up, down] = [gradient(along(weights, last, 0.02)), gradient(along(weights, last, -0.02))];
      const error = products.map((tensor, i) =>
        tf.sub(tf.div(tf.sub(up[i] as tf.Tensor, down[i] as tf.Tensor), 0.04), tensor),
      );
      expect(Math.sqrt(product(error, error) / product(products, products))).toBeLessThan(1e-3);
    });
  });

  it('of the gradient are symmetric: u·Hv = v·Hu', () => {
    tf.tidy(() => {
      const { loss, weights, u, v } = problem();
      const [hu, hv] = [u, v].map((w) => hessianVectorProduct(loss, weights, w).products) as [
        tf.Tensor[],
        tf.Tensor[],
      ];
      const size = Math.sqrt(product(u, u) * product(hv, hv));
      expect(Math.abs(product(u, hv) - product(v, hu)) / size).toBeLessThan(1e-5);
      expect(product(hu, hu)).toBeGreaterThan(0);
    });
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

  it('of units that are rectified have a variance of 2 in the number of inputs', () => {
    const model = smallResnet.build({ inputShape: [8, 8, 2], classes: 2 });
    const stem = model.initialise(1).subarray(0, 3 * 3 * 2 * 16);
    const variance = stem.reduce((sum, w) => sum + w * w, 0) / stem.length;
    expect(variance * 3 * 3 * 2).toBeGreaterThan(1.7);
    expect(variance * 3 * 3 * 2).toBeLessThan(2.3);
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

it('a residual block adds to its input', () => {
  tf.tidy(() => {
    const model = smallResnet.build({ inputShape: [8, 8, 1], classes: 2 });
    const weights = tensors(model, model.initialise(0));
    const x = tf.randomUniform([1, 8, 8, 1], 0, 1, 'float32', 'x');
    // Without the last convolution of the first block, which keeps the shape, nothing of the block is left.
    const at = (name: string) => model.parameters.findIndex((parameter) => parameter.name === name);
    const silent = weights.with(at('stage1/block1/conv2/kernel'), tf.zeros([3, 3, 16, 16]));
    const changed = silent.with(at('stage1/block1/norm1/scale'), tf.zeros([16]));
    expect([...model.apply(silent, x).dataSync()]).toEqual([...model.apply(changed, x).dataSync()]);
    expect([...model.apply(silent, x).dataSync()]).not.toEqual([...model.apply(weights, x).dataSync()]);
  });
});

describe('a model that cannot be built', () => {
  it.each<[string, () => Promise<unknown>, ModelError['reason'], RegExp]>([
    [
      'for lack of such a model',
      () => getModel('resnet', { inputShape: [32, 32, 3], classes: 10 }),
      'UNKNOWN_MODEL',
      /"resnet".*lenet, wide-resnet-16-2/,
    ],
    [
      'for small images',
      () => getModel('lenet', { inputShape: [14, 14, 1], classes: 10 }),
      'UNSUITABLE',
      /lenet.*at least 16×16.*14×14×1/,
    ],
    [
      'for examples that are not images',
      () => getModel('wide-resnet-16-2', { inputShape: [3072], classes: 10 }),
      'UNSUITABLE',
      /takes images.*these are 3072/,
    ],
    [
      'for examples without values',
      () => getModel('mlp', { inputShape: [0], classes: 2 }),
      'UNSUITABLE',
      /no values/,
    ],
    [
      'for one class',
      () => getModel('logistic', { inputShape: [4], classes: 1 }),
      'UNSUITABLE',
      /at least 2/,
    ],
  ])('%s says what it was, and what to do', async (_why, attempt, reason, message) => {
    const error = await attempt().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message) });
  });
});
