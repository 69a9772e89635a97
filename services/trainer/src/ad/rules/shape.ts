/** Kernels that move elements without changing them. */

import * as tf from '@tensorflow/tfjs-core';
import { MissingRuleError } from '../errors.ts';
import { axesOf, dim, listRule, type Rule, rule, stacked } from './rule.ts';

const reshapeTo: Rule = rule<'x' | 'input'>(({ tangents, q, output }) => {
  const tangent = tangents.x ?? tangents.input;
  return tangent && tf.reshape(tangent, stacked(q, output.shape));
});

const concat = listRule<{ axis: number }>(({ primals, tangents, q, attributes }) => {
  const [first] = primals;
  const [axis = 0] = axesOf(attributes.axis, first?.rank ?? 1);
  return tf.concat(
    primals.map((primal, i) => tangents[i] ?? tf.zeros(stacked(q, primal.shape))),
    axis + 1,
  );
});

const pack = listRule<{ axis: number }>(({ primals, tangents, q, output, attributes }) => {
  const [axis = 0] = axesOf(attributes.axis, output.rank);
  return tf.stack(
    primals.map((primal, i) => tangents[i] ?? tf.zeros(stacked(q, primal.shape))),
    axis + 1,
  );
});

const select = rule<'condition' | 't' | 'e'>(({ primals: { condition }, tangents, q, output }) => {
  if (condition.rank !== output.rank) {
    throw new MissingRuleError(
      'Select',
      'a condition of another rank than its branches; tf.where makes them equal',
    );
  }
  const chosen = tf.broadcastTo(tf.expandDims(condition, 0), stacked(q, output.shape));
  const zeros = () => tf.zeros(stacked(q, output.shape));
  return tf.where(chosen, tangents.t ?? zeros(), tangents.e ?? zeros());
});

export const SHAPE: Readonly<Record<string, Rule>> = {
  Reshape: reshapeTo,
  ExpandDims: reshapeTo,
  Transpose: rule<'x', { perm: number[] }>(
    ({ tangents, attributes: { perm } }) =>
      tangents.x && tf.transpose(tangents.x, [0, ...perm.map((axis) => axis + 1)]),
  ),
  Tile: rule<'x', { reps: number[] }>(
    ({ tangents, attributes: { reps } }) => tangents.x && tf.tile(tangents.x, [1, ...reps]),
  ),
  PadV2: rule<'x', { paddings: [number, number][] }>(
    ({ tangents, attributes: { paddings } }) => tangents.x && tf.pad(tangents.x, [[0, 0], ...paddings], 0),
  ),
  Slice: rule<'x', { begin: number | number[] }>(
    ({ primals: { x }, tangents, q, output, attributes: { begin } }) => {
      const start = typeof begin === 'number' ? [begin] : begin;
      const missing = new Array<number>(x.rank - start.length).fill(0);
      return tangents.x && tf.slice(tangents.x, [0, ...start, ...missing], stacked(q, output.shape));
    },
  ),
  SplitV: rule<'x', { axis: number }>(({ primals: { x }, tangents, outputs, attributes }) => {
    const [axis = 0] = axesOf(attributes.axis, x.rank);
    const sizes = outputs.map(({ shape }) => dim(shape, axis));
    return tangents.x && tf.split(tangents.x, sizes, axis + 1);
  }),
  Unpack: rule<'value', { axis: number }>(({ primals: { value }, tangents, attributes }) => {
    const [axis = 0] = axesOf(attributes.axis, value.rank);
    return tangents.value && tf.unstack(tangents.value, axis + 1);
  }),
  Reverse: rule<'x', { dims: number | number[] }>(
    ({ primals: { x }, tangents, attributes: { dims } }) =>
      tangents.x &&
      tf.reverse(
        tangents.x,
        axesOf(dims, x.rank).map((axis) => axis + 1),
      ),
  ),
  Concat: concat,
  Pack: pack,
  Select: select,
};
