/** One inner training run with what its hypergradients are made of: the paper's Algorithm 1, without its outer updates. */

import * as tf from '@tensorflow/tfjs-core';
import { type Model, weightCount } from '../model/model.ts';
import { classification } from './classification.ts';
import type { DerivativeSnapshot, Differentiator } from './differentiator.ts';
import { InnerTrainingError } from './errors.ts';
import { flatten } from './flat.ts';
import { DEFAULT_CHUNK, ForwardMode } from './forward.ts';
import { type HyperparameterValues, type LearnedComponent, layersOf } from './hyperparameter.ts';
import type { Batch, Figures, Objective } from './objective.ts';
import type { InnerOptimizer, Rows } from './optimizer.ts';
import { ReverseMode } from './reverse.ts';
import { parametersOf, plainStep, replaceKept, type StepPoint, type Stepped, type Training } from './step.ts';
import { Hyperparameters } from './step-values.ts';
import { type DrawnBatch, drawExamples, type TangentExamples } from './tangent-examples.ts';
import type { LossOptions } from './training-loss.ts';
import { updatesOf } from './update.ts';
import { averageMember } from './weight-average.ts';

/** How hypergradients are computed (docs/method.md, section 4). */
export type Differentiation =
  /**
   * Z is carried along, exactly (Eq. 18), and hypergradients are there at once.
   * @param chunk components of one pass, which bounds the memory; 16 by default.
   */
  | { readonly method: 'forward'; readonly chunk?: number }
  /**
   * By adjoints over the last `steps` steps before each hypergradient, at the window's end. Exact when these reach back to
   * the window's start.
   */
  | { readonly method: 'reverse'; readonly steps: number };

/**
 * The weights at which something is taken: θ, or their average: that of the optimizer, or else the running average θ̄ (docs/method.md,
 * sections 11 and 13).
 */
export type EvaluationPoint = 'lastIterate' | 'averaged';

/** A run that trains a classifier. */
export interface TrainingRunOptions extends RunOptions {
  readonly model: Model;
  /** What the training loss has beside its numbers. */
  readonly loss?: LossOptions;
}

/** A run that trains whatever has a loss. */
export interface ObjectiveRunOptions extends RunOptions {
  readonly objective: Objective;
}

interface RunOptions {
  readonly optimizer: InnerOptimizer;
  /** θ to start from, `[p]`. */
  readonly weights: Float32Array;
  /** What hypergradients are wanted of, q of them, in the order of the hypergradient's components. */
  readonly learned: readonly LearnedComponent[];
  /** @default { method: 'forward' } */
  readonly differentiation?: Differentiation;
  /**
   * Examples of each mini-batch that second derivatives are taken on (docs/method.md, section 12).
   * @default all of them
   */
  readonly tangentExamples?: TangentExamples | undefined;
  /**
   * β of θ̄ ← β θ̄ + (1 − β) θ after each step, in [0, 1). Of no use with an optimizer that has an average of its own.
   * @default 0.98
   */
  readonly averaging?: number;
  /**
   * Where hypergradients are taken.
   * @default 'lastIterate'
   */
  readonly evaluation?: EvaluationPoint;
}

/** State of a run on the host. Restoring it continues the same trajectory, on the same backend bit by bit. */
export interface TrainingSnapshot {
  /** θ, `[p]`. */
  readonly weights: Float32Array;
  /** The optimizer's buffers in its order, each `[p]`. */
  readonly buffers: readonly Float32Array[];
  /** θ̄, `[p]`; null where a buffer is the average. */
  readonly average: Float32Array | null;
  /** Of that buffer: the sum of its weights w (`weight-average.ts`); left out where there is none. */
  readonly averageSum?: Float64Array;
  /** Steps made. */
  readonly steps: number;
  /** Z in forward mode, the window so far in reverse mode; null while there is none. */
  readonly derivatives: DerivativeSnapshot | null;
  /** Training losses that were not taken yet. */
  readonly trainLoss: { readonly sum: number; readonly steps: number };
}

const DEFAULT_AVERAGING = 0.98;

/**
 * Weights, optimizer buffers and averaged weights, with the derivatives of the first two by φ, where φ_k is the
 * unconstrained coordinate of the k-th learned component (docs/method.md, sections 1, 2, 4 and 11). Lives on the tfjs backend
 * in use; {@link dispose} releases it.
 */
export class TrainingRun {
  readonly objective: Objective;
  readonly optimizer: InnerOptimizer;
  readonly learned: readonly LearnedComponent[];
  readonly #training: Training;
  readonly #hyperparameters: Hyperparameters;
  readonly #averaging: number;
  readonly #evaluation: EvaluationPoint;
  /** Where the optimizer's own average is in the state; undefined without one. */
  readonly #averageMember: number | undefined;
  readonly #differentiator: Differentiator;
  readonly #tangentExamples: TangentExamples | undefined;
  /** Weights, then buffers, each `[1, p]`. */
  #state: Rows[];
  /** θ̄, `[1, p]`; null where the optimizer has an average of its own. */
  #average: Rows | null;
  /** Of the optimizer's average: Σw so far. */
  #averageSum: Float64Array = new Float64Array();
  #steps = 0;
  #lossSum: tf.Scalar;
  #lossSteps = 0;

  /** @throws InnerTrainingError when the options do not fit each other, or are outside their domains. */
  constructor(options: TrainingRunOptions | ObjectiveRunOptions) {
    const { optimizer, weights, learned, averaging = DEFAULT_AVERAGING } = options;
    const { differentiation = { method: 'forward' }, evaluation = 'lastIterate' } = options;
    const objective = objectiveOf(options);
    this.objective = objective;
    this.optimizer = optimizer;
    this.#hyperparameters = new Hyperparameters(objective, optimizer, learned);
    this.learned = this.#hyperparameters.learned;
    requireIn('averaging', averaging, averaging >= 0 && averaging < 1, 'at least 0 and below 1');
    this.#averaging = averaging;
    this.#evaluation = evaluation;
    this.#averageMember = averageMember(optimizer);
    this.#checkLength('weights', weights);
    this.#tangentExamples = options.tangentExamples;
    this.#checkTangentExamples();

    this.#training = { objective, updates: updatesOf(optimizer, layersOf(objective)) };
    const isAveraged = evaluation === 'averaged';
    const shared = {
      q: learned.length,
      members: 1 + optimizer.buffers.length,
      p: weights.length,
      evaluated: isAveraged ? (this.#averageMember ?? 0) : 0,
      averaging: isAveraged && this.#averageMember === undefined ? averaging : undefined,
    };
    if (differentiation.method === 'forward') {
      const { chunk = DEFAULT_CHUNK } = differentiation;
      requireIn('chunk', chunk, Number.isInteger(chunk) && chunk > 0, 'a whole number above 0');
      this.#differentiator = new ForwardMode(this.#training, { ...shared, chunk });
    } else {
      const { steps } = differentiation;
      requireIn('steps', steps, Number.isInteger(steps) && steps > 0, 'a whole number above 0');
      this.#differentiator = new ReverseMode(this.#training, { ...shared, steps });
    }

    const zeros = new Float32Array(weights.length);
    const startOf = (_: string, i: number) => (1 + i === this.#averageMember ? weights : zeros);
    this.#state = [weights, ...optimizer.buffers.map(startOf)].map(keptRow);
    this.#average = this.#averageMember === undefined ? keptRow(weights) : null;
    this.#lossSum = tf.keep(tf.scalar(0));
  }

  /** Number of learned components. */
  get q(): number {
    return this.learned.length;
  }

  /**
   * One optimizer step on a mini-batch, with what hypergradients need of it. Reads nothing from the backend, but for the
   * coefficients of a linear optimizer when its values have changed.
   * @param derivatives dvalue/dphi of each learned component, `[q]`.
   * @throws InnerTrainingError when a value is unknown, missing, outside its domain or of a wrong length, or the batch does not
   *   fit the model.
   */
  step(batch: Batch, values: HyperparameterValues, derivatives: ArrayLike<number>): void {
    const make = (point: StepPoint) => this.#differentiator.step({ ...point, tangents: this.#draw(batch) });
    this.#make(make, batch, values, derivatives);
  }

  /**
   * The same step without what hypergradients need, which take it and all before it as given: it costs what a step of a run
   * costs that learns nothing.
   * @throws InnerTrainingError as {@link step}.
   */
  plainStep(batch: Batch, values: HyperparameterValues): void {
    this.#differentiator.startWindow(0);
    this.#make((point) => plainStep(this.#training, point), batch, values, new Float64Array(this.q));
  }

  #make(
    make: (point: StepPoint) => Stepped,
    batch: Batch,
    values: HyperparameterValues,
    derivatives: ArrayLike<number>,
  ): void {
    this.objective.check(batch);
    const t = this.#steps + 1;
    const resolved = this.#hyperparameters.resolve(values, derivatives, t, this.#averageSum);
    const beta = this.#averaging;
    const next = tf.tidy(() => {
      const { loss, state } = make({ batch, state: this.#state, values: resolved });
      const average = this.#average && [
        tf.add(tf.mul(this.#average, beta), tf.mul(state[0] as Rows, 1 - beta)),
      ];
      return [tf.add(this.#lossSum, loss), ...state, ...(average ?? [])];
    });
    const [lossSum, ...rows] = next as [tf.Scalar, ...Rows[]];
    const members = this.#state.length;
    this.#replace(rows.slice(0, members), rows[members] ?? null, lossSum);
    this.#averageSum = resolved.averageSum;
    this.#lossSteps += 1;
    this.#steps = t;
  }

  /**
   * The hyperparameters have moved, and earlier steps count as given: Z and Z̄ become `discount` times themselves. Pending
   * hypergradients are dropped.
   * @param discount 0 to 1; in reverse mode 0.
   * @throws InnerTrainingError for another discount.
   */
  startWindow(discount = 0): void {
    requireIn('discount', discount, discount >= 0 && discount <= 1, 'between 0 and 1');
    this.#differentiator.startWindow(discount);
  }

  /**
   * The local hypergradient h = dℓ~/dφ at the evaluation point (Eq. 18), one component for each learned one, each by its
   * unconstrained coordinate. One reverse pass over the validation examples now; in forward mode q dot products more.
   * @returns undefined in reverse mode: {@link endWindow} gives it.
   */
  hypergradient(validation: Batch): Float64Array | undefined {
    this.objective.check(validation);
    const weights = this.#weightsAt(this.#evaluation);
    return this.#differentiator.hypergradient(() => this.#meanGradient(validation, weights));
  }

  /** In reverse mode the hypergradients that were asked for in this window, oldest first; in forward mode none. */
  endWindow(): Float64Array[] {
    return this.#differentiator.endWindow();
  }

  /** Validation figures, whatever the training loss has. */
  evaluate(examples: Batch, at: EvaluationPoint = 'lastIterate'): Figures {
    const parameters = tf.tidy(() => parametersOf(this.objective, this.#weightsAt(at)));
    try {
      return this.objective.figures(examples, parameters);
    } finally {
      tf.dispose(parameters);
    }
  }

  /** Mean training loss of the steps since it was last taken, in nats, each before its update; NaN without a step. */
  takeTrainLoss(): number {
    const mean = (this.#lossSum.dataSync()[0] ?? Number.NaN) / this.#lossSteps;
    this.#setTrainLoss(0, 0);
    return mean;
  }

  /** @param options.derivatives whether Z, or the window so far, comes along; not needed where a window is about to start afresh. */
  snapshot({ derivatives = true } = {}): TrainingSnapshot {
    const [weights, ...buffers] = this.#state.map(hostCopy) as [Float32Array, ...Float32Array[]];
    return {
      weights,
      buffers,
      average: this.#average && hostCopy(this.#average),
      ...(this.#averageMember !== undefined && { averageSum: this.#averageSum }),
      steps: this.#steps,
      derivatives: derivatives ? this.#differentiator.snapshot() : null,
      trainLoss: { sum: this.#lossSum.dataSync()[0] ?? Number.NaN, steps: this.#lossSteps },
    };
  }

  /** @throws InnerTrainingError when the snapshot is of a run with other options. */
  restore(snapshot: TrainingSnapshot): void {
    const { weights, buffers, average, averageSum, steps, derivatives, trainLoss } = snapshot;
    if (buffers.length !== this.optimizer.buffers.length) {
      throw new InnerTrainingError(
        'SHAPE_MISMATCH',
        `the snapshot has ${buffers.length} optimizer buffers; ${this.optimizer.id} has ${this.optimizer.buffers.length}`,
      );
    }
    if ((average === null) !== (this.#average === null)) {
      throw new InnerTrainingError(
        'SHAPE_MISMATCH',
        `the snapshot has ${average ? 'a' : 'no'} running average; with ${this.optimizer.id} there is ${average ? 'none' : 'one'}`,
      );
    }
    const values = [weights, ...buffers];
    for (const row of [...values, ...(average ? [average] : [])]) this.#checkLength('the snapshot', row);
    this.#differentiator.restore(derivatives);
    this.#replace(values.map(keptRow), average && keptRow(average), this.#lossSum);
    this.#averageSum = averageSum ?? new Float64Array();
    this.#steps = steps;
    this.#setTrainLoss(trainLoss.sum, trainLoss.steps);
  }

  /** Releases the tensors; the run cannot be used afterwards. */
  dispose(): void {
    this.#differentiator.dispose();
    tf.dispose([...this.#state, this.#lossSum, ...(this.#average ? [this.#average] : [])]);
  }

  #draw(batch: Batch): DrawnBatch | undefined {
    if (this.#tangentExamples === undefined || this.q === 0) return undefined;
    return drawExamples(batch, this.#tangentExamples, this.#steps + 1);
  }

  #weightsAt(point: EvaluationPoint): Rows {
    if (point === 'lastIterate') return this.#state[0] as Rows;
    return this.#average ?? (this.#state[this.#averageMember ?? 0] as Rows);
  }

  /** Gradient of the mean validation loss, `[1, p]`. */
  #meanGradient(examples: Batch, weights: Rows): Rows {
    const parameters = parametersOf(this.objective, weights);
    const parts = this.objective.validation(examples, parameters).map(({ share, loss }) =>
      tf.tidy(() => {
        const gradients = tf.grads((...tensors: tf.Tensor[]) => loss(tensors))(parameters);
        return tf.mul(flatten(gradients, 1), share);
      }),
    );
    return tf.addN(parts) as Rows;
  }

  #setTrainLoss(sum: number, steps: number): void {
    this.#replace(this.#state, this.#average, tf.scalar(sum));
    this.#lossSteps = steps;
  }

  #replace(state: Rows[], average: Rows | null, lossSum: tf.Scalar): void {
    replaceKept([...this.#state, this.#average, this.#lossSum], [...state, average, lossSum]);
    this.#state = state;
    this.#average = average;
    this.#lossSum = lossSum;
  }

  #checkTangentExamples(): void {
    const { count } = this.#tangentExamples ?? {};
    if (count === undefined) return;
    requireIn(
      'tangentExamples',
      count,
      Number.isInteger(count) && count >= 0,
      'a whole number of at least 0',
    );
    const ofLoss = this.learned.find(({ name }) =>
      this.objective.hyperparameters.some((info) => info.name === name),
    );
    if (count > 0 || ofLoss === undefined) return;
    throw new InnerTrainingError(
      'UNSUPPORTED',
      `${ofLoss.name} acts through second derivatives alone, and with 0 tangent examples there are none`,
    );
  }

  #checkLength(what: string, values: Float32Array): void {
    const expected = weightCount(this.objective);
    if (values.length !== expected) {
      throw new InnerTrainingError(
        'SHAPE_MISMATCH',
        `${what} has ${values.length} numbers where ${this.objective.id} has ${expected}`,
      );
    }
  }
}

function objectiveOf(options: TrainingRunOptions | ObjectiveRunOptions): Objective {
  if ('objective' in options) return options.objective;
  const { model, loss = {} } = options;
  const { hidden = 1 } = loss.reweighting ?? {};
  requireIn('hidden', hidden, Number.isInteger(hidden) && hidden > 0, 'a whole number above 0');
  return classification(model, loss);
}

/** A row of the backend's own, `[1, p]`. */
const keptRow = (values: Float32Array): Rows => tf.keep(tf.tensor2d(values.slice(), [1, values.length]));

const hostCopy = (rows: Rows): Float32Array => rows.dataSync<'float32'>().slice();

function requireIn(what: string, value: number, holds: boolean, domain: string): void {
  if (!holds) throw new InnerTrainingError('OUT_OF_DOMAIN', `${what} is ${value}; it must be ${domain}`);
}
