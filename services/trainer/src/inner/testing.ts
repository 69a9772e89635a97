/**
 * For tests: inner training written out in double precision, without tfjs and without derivatives beyond the training
 * gradient. Hypergradients to compare with come from differences of whole runs.
 */

import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect } from 'vitest';
import { noise } from '../ad/rules/rule-case.ts';
import { dense } from '../model/layers.ts';
import { defineModel } from '../model/model.ts';
import type { Examples } from './loss.ts';
import type { Reweighting } from './reweighting.ts';

const INPUTS = 3;
const HIDDEN = 4;
const CLASSES = 3;

/** Where each of the two layers begins in θ, and where θ ends. */
const SECOND = INPUTS * HIDDEN + HIDDEN;
const P = SECOND + HIDDEN * CLASSES + CLASSES;

/** A smooth perceptron: tanh in between, so that differences meet no kink. */
export const perceptron = defineModel({
  id: 'perceptron',
  description: 'Perceptron with 4 hidden units, tanh',
  inputShape: [INPUTS],
  classes: CLASSES,
  parameters: [
    { name: 'first/kernel', shape: [INPUTS, HIDDEN], fanIn: INPUTS },
    { name: 'first/bias', shape: [HIDDEN], fanIn: INPUTS },
    { name: 'second/kernel', shape: [HIDDEN, CLASSES], fanIn: HIDDEN },
    { name: 'second/bias', shape: [CLASSES], fanIn: HIDDEN },
  ],
  apply([kernel1, bias1, kernel2, bias2], x) {
    const hidden = tf.tanh(dense(x as tf.Tensor2D, kernel1 as tf.Tensor2D, bias1 as tf.Tensor1D));
    return dense(hidden, kernel2 as tf.Tensor2D, bias2 as tf.Tensor1D);
  },
});

/** An element that exists. */
export function at<T>(list: ArrayLike<T>, i: number): T {
  const element = list[i];
  if (element === undefined) throw new RangeError(`${i} is past the end`);
  return element;
}

/** Examples on the host. */
export interface HostExamples {
  readonly x: readonly (readonly number[])[];
  readonly labels: readonly number[];
}

/** Noise in ±2, float32, with labels of all classes. */
export function hostExamples(count: number, seed: number, inputs = INPUTS, classes = CLASSES): HostExamples {
  return {
    x: Array.from({ length: count }, (_, i) =>
      Array.from({ length: inputs }, (_unused, j) => Math.fround(4 * noise(seed, i * inputs + j) - 2)),
    ),
    labels: Array.from({ length: count }, (_, i) => Math.floor(classes * noise(seed + 0.5, i))),
  };
}

export const onBackend = ({ x, labels }: HostExamples): Examples => ({
  x: tf.tensor2d(x as number[][]),
  labels: tf.tensor1d(labels as number[], 'int32'),
});

/** Values by name: all that the optimizer and the loss use. */
export type ReferenceValues = Readonly<Record<string, readonly number[]>>;

export interface ReferenceTraining {
  readonly optimizer: string;
  readonly reweighting?: Reweighting;
  /** β of the running average that is evaluated; any number evaluates the average of an optimizer that has one. Undefined: the last iterate. */
  readonly averaging?: number;
  /** Values that the weights of such an average are made of; those of the steps without it. */
  readonly averageValues?: ReferenceValues;
  readonly theta: ArrayLike<number>;
  readonly batches: readonly HostExamples[];
  readonly held: HostExamples;
}

/** Plain validation loss after training, with values that may differ from step to step. */
export function referenceLoss(
  training: ReferenceTraining,
  valuesOf: (step: number) => ReferenceValues,
): number {
  return plainLoss(referenceRun(training, valuesOf).evaluated, training.held);
}

/** Where such a training ends. */
export function referenceRun(
  { optimizer, reweighting, averaging, averageValues, batches, theta: start }: ReferenceTraining,
  valuesOf: (step: number) => ReferenceValues,
) {
  const rule = ruleOf(optimizer);
  const hasAverage = optimizer.startsWith('schedule-free');
  let theta = Array.from(start);
  let average = theta;
  const zeros = new Array<number>(P).fill(0);
  let buffers: number[][] = [hasAverage ? theta : zeros, zeros, zeros, zeros];
  /** Prodigy's estimate. */
  let distance = 0;
  batches.forEach((batch, step) => {
    const values = valuesOf(step);
    const shares = [0, 1].map((layer) =>
      hasAverage ? shareOf(step, (s) => averageValues ?? valuesOf(s), layer) : 0,
    );
    const weightAt = (i: number, g: number): Weight => {
      const layer = i < SECOND ? 0 : 1;
      const share = at(shares, layer);
      const value = valueIn(values, layer);
      return {
        w: at(theta, i),
        g,
        buffers: buffers.map((buffer) => at(buffer, i)),
        t: step + 1,
        value,
        share,
        start: at(start, i),
        distance: Math.max(distance, value('d0', 1e-6)),
      };
    };
    const points = theta.map((w, i) => (hasAverage ? interpolated(weightAt(i, 0)) : w));
    const { gradient } = trainingLoss(points, batch, values, reweighting);
    const next = theta.map((_, i) => rule(weightAt(i, at(gradient, i))));
    theta = next.map(({ w }) => w);
    buffers = buffers.map((_, b) => next.map((each) => each.buffers[b] ?? 0));
    if (optimizer === 'prodigy') distance = estimateOf(weightAt(0, 0).distance, buffers);
    if (averaging !== undefined) {
      average = average.map((mean, i) => averaging * mean + (1 - averaging) * at(theta, i));
    }
  });
  const evaluated = averaging === undefined ? theta : hasAverage ? at(buffers, 0) : average;
  return { theta, buffers, evaluated, distance };
}

/** max(d, r/‖s‖₁). */
function estimateOf(d: number, [, , terms, sums]: readonly (readonly number[])[]): number {
  const norm = (sums ?? []).reduce((sum, s) => sum + Math.abs(s), 0);
  return Math.max(d, (terms ?? []).reduce((sum, r) => sum + r, 0) / norm);
}

/** The value of one layer. */
const valueIn =
  (values: ReferenceValues, layer: number) =>
  (name: string, otherwise: number): number => {
    const given = values[name];
    return given === undefined ? otherwise : (given[layer] ?? at(given, 0));
  };

/** η² tʳ of a step over the sum of all up to it. */
function shareOf(step: number, valuesOf: (step: number) => ReferenceValues, layer: number): number {
  const weights = Array.from({ length: step + 1 }, (_, s) => {
    const value = valueIn(valuesOf(s), layer);
    return value('lr', Number.NaN) ** 2 * (s + 1) ** value('power', 2);
  });
  return at(weights, step) / weights.reduce((sum, weight) => sum + weight, 0);
}

/** Where the gradient is taken. */
const interpolated = ({ w, buffers, value }: Weight): number =>
  (1 - value('beta', 0.9)) * w + value('beta', 0.9) * at(buffers, 0);

interface Weight {
  readonly w: number;
  readonly g: number;
  readonly buffers: readonly number[];
  readonly t: number;
  readonly value: (name: string, otherwise: number) => number;
  /** Of the newest weights in an average. */
  readonly share: number;
  /** Where it began. */
  readonly start: number;
  /** Prodigy's d. */
  readonly distance: number;
}

type UpdateRule = (weight: Weight) => { readonly w: number; readonly buffers: readonly number[] };

/** The textbook update of one weight. */
function ruleOf(optimizer: string): UpdateRule {
  const [, family, decoupled, nesterov] =
    /^(sgd|adam|rmsprop|schedule-free-adam|schedule-free|prodigy)(w?)(-nesterov)?$/.exec(optimizer) ?? [];
  const decays = (weight: Weight) => {
    const decay = weight.value('weightDecay', 0) * weight.w;
    return decoupled
      ? { g: weight.g, beside: weight.value('lr', Number.NaN) * decay }
      : { g: weight.g + decay, beside: 0 };
  };
  switch (family) {
    case 'sgd':
      return (weight) => {
        const { value, w, buffers } = weight;
        const { g, beside } = decays(weight);
        const next = value('momentum', 0) * at(buffers, 0) + g;
        const step = nesterov ? g + value('momentum', 0) * next : next;
        return { w: w - value('lr', Number.NaN) * step - beside, buffers: [next] };
      };
    case 'rmsprop':
      return (weight) => {
        const { value, w, buffers } = weight;
        const { g } = decays(weight);
        const rho = value('rho', 0.99);
        const square = rho * at(buffers, 0) + (1 - rho) * g ** 2;
        const scaled = g / (Math.sqrt(square) + value('epsilon', 1e-8));
        const next = value('momentum', 0) * at(buffers, 1) + scaled;
        return { w: w - value('lr', Number.NaN) * next, buffers: [square, next] };
      };
    case 'adam':
      return (weight) => {
        const { value, w, buffers, t } = weight;
        const { g, beside } = decays(weight);
        const [beta1, beta2] = [value('beta1', 0.9), value('beta2', 0.999)];
        const mean = beta1 * at(buffers, 0) + (1 - beta1) * g;
        const square = beta2 * at(buffers, 1) + (1 - beta2) * g ** 2;
        const root = Math.sqrt(square / (1 - beta2 ** t)) + value('epsilon', 1e-8);
        const step = mean / (1 - beta1 ** t) / root;
        return { w: w - value('lr', Number.NaN) * step - beside, buffers: [mean, square] };
      };
    case 'schedule-free':
    case 'schedule-free-adam':
      return (weight) => {
        const { value, w, g, buffers, t, share } = weight;
        const beta2 = value('beta2', 0.999);
        const square = beta2 * at(buffers, 1) + (1 - beta2) * g ** 2;
        const root = Math.sqrt(square / (1 - beta2 ** t)) + value('epsilon', 1e-8);
        const direction = family === 'schedule-free' ? g : g / root;
        const decay = value('weightDecay', 0) * interpolated(weight);
        const next = w - value('lr', Number.NaN) * (direction + decay);
        return { w: next, buffers: [(1 - share) * at(buffers, 0) + share * next, square] };
      };
    case 'prodigy':
      return ({ value, w, g, buffers, start, distance: d }) => {
        const [beta1, beta2] = [value('beta1', 0.9), value('beta2', 0.999)];
        const lr = value('lr', 1);
        const mean = beta1 * at(buffers, 0) + (1 - beta1) * d * g;
        const square = beta2 * at(buffers, 1) + (1 - beta2) * (d * g) ** 2;
        const step = mean / (Math.sqrt(square) + d * value('epsilon', 1e-8));
        const beta3 = Math.sqrt(beta2);
        const weighted = (1 - beta3) * lr * d ** 2 * g;
        return {
          w: w - lr * d * (step + value('weightDecay', 0) * w),
          buffers: [
            ...[mean, square, beta3 * at(buffers, 2) + weighted * (start - w)],
            beta3 * at(buffers, 3) + weighted,
          ],
        };
      };
    default:
      throw new RangeError(`there is no reference for "${optimizer}"`);
  }
}

/** The weight of an example with loss l, and its derivative by l. */
function exampleWeight(network: readonly number[], l: number): readonly [number, number] {
  const hidden = (network.length - 1) / 3;
  let [output, slope] = [at(network, 3 * hidden), 0];
  for (let j = 0; j < hidden; j++) {
    const unit = at(network, j) * l + at(network, hidden + j);
    if (unit <= 0) continue;
    output += at(network, 2 * hidden + j) * unit;
    slope += at(network, 2 * hidden + j) * at(network, j);
  }
  const weight = 1 / (1 + Math.exp(-output));
  return [weight, weight * (1 - weight) * slope];
}

function forward(theta: ArrayLike<number>, x: readonly number[]) {
  const hidden = Array.from({ length: HIDDEN }, (_, j) =>
    Math.tanh(
      x.reduce((sum, value, i) => sum + value * at(theta, i * HIDDEN + j), at(theta, INPUTS * HIDDEN + j)),
    ),
  );
  const logits = Array.from({ length: CLASSES }, (_, c) =>
    hidden.reduce(
      (sum, value, j) => sum + value * at(theta, SECOND + j * CLASSES + c),
      at(theta, SECOND + HIDDEN * CLASSES + c),
    ),
  );
  const normaliser = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0));
  return { hidden, logProbabilities: logits.map((z) => z - normaliser) };
}

export function plainLoss(theta: ArrayLike<number>, { x, labels }: HostExamples): number {
  const losses = x.map((row, i) => -at(forward(theta, row).logProbabilities, at(labels, i)));
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Of the examples that are trained on; what relative class weights are relative to. */
export const CLASS_SHARES = [0.5, 0.3, 0.2];

/** The training loss and its gradient by θ. */
export function trainingLoss(
  theta: ArrayLike<number>,
  { x, labels }: HostExamples,
  values: ReferenceValues,
  reweighting: Reweighting | undefined,
): { readonly loss: number; readonly gradient: number[] } {
  const [smoothing = 0] = values.labelSmoothing ?? [];
  const l2 = values.l2 ?? [0];
  const { relativeClassWeights: factors = CLASS_SHARES.map(() => 1) } = values;
  const mean = CLASS_SHARES.reduce((sum, share, c) => sum + share * at(factors, c), 0);
  const relative = (label: number): number => at(factors, label) / mean;
  const penalties = Array.from(theta, (_, i) => l2[i < SECOND ? 0 : 1] ?? at(l2, 0));
  const gradient = penalties.map((penalty, i) => penalty * at(theta, i));
  let total = penalties.reduce((sum, penalty, i) => sum + (penalty / 2) * at(theta, i) ** 2, 0);
  const add = (i: number, value: number) => {
    gradient[i] = at(gradient, i) + value;
  };
  x.forEach((row, n) => {
    const label = at(labels, n);
    const { hidden, logProbabilities } = forward(theta, row);
    const targets = logProbabilities.map((_, c) => (c === label ? 1 - smoothing : 0) + smoothing / CLASSES);
    const loss = -targets.reduce((sum, target, c) => sum + target * at(logProbabilities, c), 0);
    const share = ((values.classWeights?.[label] ?? 1) * relative(label)) / x.length;
    const [weight, slope] = reweighting ? exampleWeight(values.reweighting ?? [], loss) : [1, 0];
    total += share * weight * loss;
    const factor = share * (reweighting?.detached ? weight : weight + slope * loss);
    const residuals = logProbabilities.map((lp, c) => factor * (Math.exp(lp) - at(targets, c)));
    residuals.forEach((residual, c) => {
      hidden.forEach((value, j) => {
        add(SECOND + j * CLASSES + c, residual * value);
      });
      add(SECOND + HIDDEN * CLASSES + c, residual);
    });
    hidden.forEach((value, j) => {
      const back = residuals.reduce((sum, r, c) => sum + r * at(theta, SECOND + j * CLASSES + c), 0);
      const delta = back * (1 - value ** 2);
      row.forEach((input, i) => {
        add(i * HIDDEN + j, delta * input);
      });
      add(INPUTS * HIDDEN + j, delta);
    });
  });
  return { loss: total, gradient };
}

/** Derivative of a function at 0, by differences of fourth order. */
export function differentiate(f: (x: number) => number, step = 1e-4): number {
  return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step);
}

/** Values with one entry moved. */
export function moved(values: ReferenceValues, name: string, index: number, by: number): ReferenceValues {
  const entries = values[name] ?? [];
  return { ...values, [name]: entries.map((value, i) => (i === index ? value + by : value)) };
}

/** The largest difference, relative to the largest expected number. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length)
    throw new RangeError(`${found.length} numbers, not ${expected.length}`);
  const numbers = Array.from(expected);
  const largest = Math.max(...numbers.map(Math.abs));
  return Math.max(...numbers.map((value, i) => Math.abs(at(found, i) - value))) / largest;
}

/** Each test of the suite runs in a tfjs scope of its own, and must leave no tensor outside of it. */
export function expectNothingLeftBehind(): void {
  let tensorsAtStart = 0;
  beforeEach(() => {
    tensorsAtStart = tf.memory().numTensors;
    tf.engine().startScope();
  });
  afterEach(() => {
    tf.engine().endScope();
    expect(tf.memory().numTensors, 'nothing is left behind').toBe(tensorsAtStart);
  });
}
