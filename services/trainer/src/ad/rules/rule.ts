/** What a JVP rule is, and the small vocabulary that the rules are written in. */

import * as tf from '@tensorflow/tfjs-core';

/** A tangent `[q, ...shape of its primal]`; undefined is zero. */
export type Tangent = tf.Tensor | undefined;

/** One call of a kernel, with at least one tangent among its inputs. */
export interface KernelCall<Inputs = Record<string, tf.Tensor>, A = object> {
  /** The inputs' values. */
  readonly primals: Readonly<Inputs>;
  /** The inputs' tangents. */
  readonly tangents: { readonly [K in keyof Inputs]: Tangent };
  /** The (first) output's value. */
  readonly output: tf.Tensor;
  readonly outputs: readonly tf.Tensor[];
  /** Number of tangents. */
  readonly q: number;
  readonly attributes: A;
}

/**
 * Tangents of a kernel's outputs from those of its inputs. Runs on the underlying backend, in a scope of its own. May
 * answer with an input's tangent as it is. For several outputs: a list in their order.
 */
export type Rule = (call: KernelCall) => Tangent | readonly Tangent[];

/** The rule of a kernel whose inputs are named `N`, with attributes `A`; the table of rules pairs the two. */
export function rule<N extends string, A extends object = object>(
  tangentOf: (call: KernelCall<Record<N, tf.Tensor>, A>) => Tangent | readonly Tangent[],
): Rule {
  return tangentOf as unknown as Rule;
}

/** The rule of a kernel whose inputs are a list. */
export function listRule<A extends object = object>(
  tangentOf: (call: KernelCall<readonly tf.Tensor[], A>) => Tangent | readonly Tangent[],
): Rule {
  return tangentOf as unknown as Rule;
}

/** The rule of a kernel y = f(x) that acts element by element: dy = f'(x) dx, with f' from x and y. */
export const unary = (slope: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor): Rule =>
  rule<'x'>(({ primals: { x }, tangents, output }) => tangents.x && tf.mul(tangents.x, slope(x, output)));

/** a + b, where a missing tangent is zero. */
export function plus(a: Tangent, b: Tangent): Tangent {
  return a && b ? tf.add(a, b) : (a ?? b);
}

/** Size of an axis that exists. */
export function dim(shape: readonly number[], axis: number): number {
  const size = shape.at(axis);
  if (size === undefined) throw new RangeError(`shape [${shape}] has no axis ${axis}`);
  return size;
}

/** Shape with a leading axis for the tangents. */
export const stacked = (q: number, shape: readonly number[]): number[] => [q, ...shape];

/** `[q, b, ...]` to `[q·b, ...]`: the tangents as further examples of the batch. */
export function fold(tangent: tf.Tensor): tf.Tensor {
  const [q = 1, b = 1, ...rest] = tangent.shape;
  return tf.reshape(tangent, [q * b, ...rest]);
}

/** The inverse of {@link fold}. */
export function unfold(tensor: tf.Tensor, q: number): tf.Tensor {
  const [qb = 1, ...rest] = tensor.shape;
  return tf.reshape(tensor, [q, qb / q, ...rest]);
}

/** Shape of {@link fold}'s result for a primal of this shape. */
export function foldedShape(shape: readonly number[], q: number): number[] {
  const [b = 1, ...rest] = shape;
  return [q * b, ...rest];
}

/** Axes of a primal of this rank as non-negative numbers. */
export function axesOf(axis: number | readonly number[] | null | undefined, rank: number): number[] {
  return tf.util.parseAxisParam((axis ?? null) as number | number[], new Array<number>(rank).fill(1));
}

/** Axes of a primal as axes of its tangent. */
export const lifted = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1);

/** A tangent with ones after its first axis, so that it broadcasts against primals of this rank. */
export function aligned(tangent: tf.Tensor, rank: number): tf.Tensor {
  const [q = 1, ...shape] = tangent.shape;
  const missing = rank - shape.length;
  return missing === 0 ? tangent : tf.reshape(tangent, [q, ...new Array<number>(missing).fill(1), ...shape]);
}

/** A tangent repeated along the axes that its kernel broadcast, up to the output's shape. */
export function broadcast(tangent: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const full = aligned(tangent, shape.length);
  const target = stacked(dim(full.shape, 0), shape);
  const reps = target.map((size, axis) => (full.shape[axis] === size ? 1 : size));
  return reps.every((rep) => rep === 1) ? full : tf.tile(full, reps);
}

/** The tangents one by one, each of the primal's shape. Slices of leading rows, which are cheaper than `unstack`. */
export function each(tangent: tf.Tensor): tf.Tensor[] {
  const [q = 1, ...shape] = tangent.shape;
  const rows = tf.reshape(tangent, [q, -1]) as tf.Tensor2D;
  return Array.from({ length: q }, (_, k) => tf.reshape(tf.slice(rows, [k, 0], [1, -1]), shape));
}

/** The inverse of {@link each}; as a concatenation, which is cheaper than `stack`. */
export function together(tangents: readonly tf.Tensor[]): tf.Tensor {
  const [first] = tangents;
  if (first === undefined) throw new RangeError('there is no tangent');
  const rows = tangents.map((tangent) => tf.reshape(tangent, [1, tangent.size]));
  return tf.reshape(rows.length === 1 ? (rows[0] as tf.Tensor) : tf.concat(rows), [
    tangents.length,
    ...first.shape,
  ]);
}

/** Ones and zeros of dtype float32 from a condition. */
export const indicator = (condition: tf.Tensor): tf.Tensor => tf.cast(condition, 'float32');
