/** For tests: calls of a kernel to check its rule on, and the check by central differences. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { gradients, runKernel } from '../engine.ts';
import { gradJvp, jvp } from '../jvp.ts';

/** A call of a kernel with random inputs. */
export interface Call {
  /** In the kernel's order or by its names; made anew for each check. */
  readonly inputs: () => Record<string, tf.Tensor> | tf.Tensor[];
  readonly attributes?: object;
  /** Inputs to give tangents, in every combination. */
  readonly differentiable: readonly (string | number)[];
}

/** How a kernel's differences approach its derivative. */
export type Smoothness =
  /** At most quadratic along any line: central differences are exact at any distance. */
  | 'quadratic'
  /** Smooth: extrapolated differences. */
  | 'smooth'
  /** Linear near the inputs of the case, which stay clear of the kinks. */
  | 'piecewise';

export interface RuleCase {
  readonly smoothness: Smoothness;
  readonly calls: fc.Arbitrary<Call>;
  /** Backends on which the stock kernel itself is wrong, each with what is. */
  readonly defects?: Readonly<Record<string, string>>;
  /** What the stock kernel of cpu gets wrong in a way that its derivatives share. */
  readonly cpuDefect?: string;
}

/** A number from a seed and a position, in [0, 1). */
export function noise(seed: number, i: number): number {
  const x = Math.sin((i + 1) * 12.9898 + (seed + 1) * 78.233) * 43758.5453;
  return x - Math.floor(x);
}

/** A tensor of numbers made from noise in [0, 1). */
export function made(
  shape: readonly number[],
  seed: number,
  from: (u: number, i: number) => number,
): tf.Tensor {
  const size = tf.util.sizeFromShape([...shape]);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => from(noise(seed, i), i)),
    [...shape],
  );
}

/** Between −1.5 and 1.5. */
export const anywhere = (shape: readonly number[], seed: number): tf.Tensor =>
  made(shape, seed, (u) => 3 * u - 1.5);

/** Between 0.5 and 2. */
export const positive = (shape: readonly number[], seed: number): tf.Tensor =>
  made(shape, seed, (u) => 0.5 + 1.5 * u);

/** At least 0.1 from zero. */
export const offZero = (shape: readonly number[], seed: number): tf.Tensor =>
  made(shape, seed, (u) => (u < 0.5 ? -0.1 - 2 * u : 2 * u - 0.9));

/** All different, at least 0.1 apart, in random order. */
export function distinct(shape: readonly number[], seed: number): tf.Tensor {
  const size = tf.util.sizeFromShape([...shape]);
  const order = Array.from({ length: size }, (_, i) => i).sort((a, b) => noise(seed, a) - noise(seed, b));
  return made(shape, seed, (_, i) => 0.1 * ((order[i] ?? 0) - Math.floor(size / 2)));
}

export const seeds = fc.integer({ min: 0, max: 1e6 });
export const size = (max: number, min = 1) => fc.integer({ min, max });
/** Shapes of rank 1 to 4. */
export const shapes = fc.array(size(4), { minLength: 1, maxLength: 4 });

/** Makes the numbers of a tensor. */
export type Values = (shape: readonly number[], seed: number) => tf.Tensor;

/** Of a kernel with one input x of any shape. */
export const unary = (smoothness: Smoothness, values: Values, attributes: object = {}): RuleCase => ({
  smoothness,
  calls: fc.record({ shape: shapes, seed: seeds }).map(({ shape, seed }) => ({
    inputs: () => ({ x: values(shape, seed) }),
    attributes,
    differentiable: ['x'],
  })),
});

const STEP: Record<Smoothness, number> = { quadratic: 0.5, smooth: 0.05, piecewise: 0.02 };
const TOLERANCE: Record<Smoothness, number> = { quadratic: 2e-5, smooth: 2e-4, piecewise: 2e-4 };

/**
 * The largest difference between a kernel's tangents by its rule and by central differences, over all outputs and
 * combinations of tangents, relative to the largest tangent (or 1) and to the tolerance: at most 1 is right.
 */
export function ruleError(
  kernel: string,
  call: Call,
  smoothness: Smoothness,
  q: number,
  seed: number,
): number {
  return tf.tidy(() => {
    const { keys, values, run } = runnable(kernel, call);
    const errors = combinations(call.differentiable.map(String)).flatMap((chosen) => {
      const tangents = values.map((value, i) =>
        chosen.includes(keys[i] as string)
          ? made([q, ...value.shape], seed + 31 * i + 7, (u) => 2 * u - 1)
          : null,
      );
      return run(values).map((output, i) => {
        const one = (tensors: tf.Tensor[]) => run(tensors)[i] as tf.Tensor;
        if (output.dtype !== 'float32') return 0;
        const found = jvp(one, values, tangents).tangents;
        return distance(found, differences(one, values, tangents, q, smoothness)) / TOLERANCE[smoothness];
      });
    });
    return Math.max(...errors);
  });
}

/**
 * The same for a loss made of the kernel, Σ y²: its gradient against tfjs's own, and the gradient's tangents against
 * differences of tfjs's own. Undefined where tfjs has no gradient.
 */
export function gradientError(
  kernel: string,
  call: Call,
  smoothness: Smoothness,
  seed: number,
): number | undefined {
  return tf.tidy(() => {
    const { keys, values, run } = runnable(kernel, call);
    const moving = call.differentiable.map((name) => keys.indexOf(String(name)));
    const parameters = moving.map((i) => values[i] as tf.Tensor);
    const loss = (tensors: tf.Tensor[]): tf.Scalar => {
      const all = values.map((value, i) => tensors[moving.indexOf(i)] ?? value);
      return tf.addN(run(all).map((y) => tf.sum(tf.square(y)))) as tf.Scalar;
    };
    /** Of all parameters, one after the other. */
    const flat = (tensors: readonly (tf.Tensor | undefined)[], lead: number) =>
      tf.concat(
        tensors.map((tensor, i) => {
          const missing = () => tf.zeros([lead, parameters[i]?.size ?? 0]);
          return tensor ? tf.reshape(tensor, [lead, -1]) : missing();
        }),
        1,
      );
    const stock = (tensors: tf.Tensor[]) => flat(gradients(() => loss(tensors), tensors).grads, 1);
    try {
      stock(parameters);
    } catch {
      return undefined;
    }
    const tangents = parameters.map(({ shape }, i) => made([1, ...shape], seed + 31 * i, (u) => 2 * u - 1));
    const found = gradJvp(loss, parameters, tangents);
    // The gradient of a quadratic is no more than cubic.
    const along = smoothness === 'quadratic' ? 'smooth' : smoothness;
    const expected = differences(stock, parameters, tangents, 1, along);
    return Math.max(
      distance(flat(found.gradients, 1), stock(parameters)),
      distance(tf.expandDims(flat(found.gradientTangents, 1), 0), expected),
    );
  });
}

/** Runs the gradient of Σ y²; false where tfjs has none. */
export function hasGradient(kernel: string, call: Call): boolean {
  return tf.tidy(() => {
    const { keys, values, run } = runnable(kernel, call);
    const moving = call.differentiable.map((name) => values[keys.indexOf(String(name))] as tf.Tensor);
    try {
      gradients(() => tf.addN(run(values).map((y) => tf.sum(tf.square(y)))) as tf.Scalar, moving);
      return true;
    } catch {
      return false;
    }
  });
}

/** A call's inputs in a fixed order, and the kernel as a function of them. */
function runnable(kernel: string, call: Call) {
  const inputs = call.inputs();
  const keys = Object.keys(inputs);
  const run = (tensors: tf.Tensor[]): tf.Tensor[] => {
    const arranged = Array.isArray(inputs)
      ? tensors
      : Object.fromEntries(keys.map((key, i) => [key, tensors[i] as tf.Tensor]));
    const result = runKernel<tf.Tensor | tf.Tensor[]>(kernel, arranged, call.attributes);
    return Array.isArray(result) ? result : [result];
  };
  return { keys, values: Object.values(inputs), run };
}

/** Every choice of at least one. */
function combinations(names: readonly string[]): string[][] {
  return Array.from({ length: 2 ** names.length - 1 }, (_, bits) =>
    names.filter((_name, i) => ((bits + 1) >> i) % 2 === 1),
  );
}

function differences(
  f: (inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  tangents: readonly (tf.Tensor | null)[],
  q: number,
  smoothness: Smoothness,
): tf.Tensor {
  const along = (k: number, distance: number) =>
    f(
      inputs.map((input, i) => {
        const direction = tangents[i]?.slice([k], [1]).reshape(input.shape);
        return direction ? tf.add(input, tf.mul(direction, distance)) : input;
      }),
    );
  const central = (k: number, step: number) => tf.div(tf.sub(along(k, step), along(k, -step)), 2 * step);
  const step = STEP[smoothness];
  const rows = Array.from({ length: q }, (_, k) =>
    smoothness === 'smooth'
      ? tf.sub(tf.mul(4 / 3, central(k, step / 2)), tf.mul(1 / 3, central(k, step)))
      : central(k, step),
  );
  return tf.stack(rows);
}

function distance(found: tf.Tensor, expected: tf.Tensor): number {
  tf.util.assertShapesMatch(found.shape, expected.shape);
  const reference = [...expected.dataSync()];
  const scale = Math.max(1, ...reference.map(Math.abs));
  // Math.max answers NaN when one of them is.
  return Math.max(
    0,
    ...[...found.dataSync()].map((x, i) => Math.abs(x - (reference[i] ?? Number.NaN)) / scale),
  );
}
