/** One inner training run with the sensitivity of its state: the paper's Algorithm 1, without its outer updates. */

import * as tf from '@tensorflow/tfjs-core';
import { gradJvp } from '../ad/jvp.ts';
import { type Model, weightCount } from '../model/model.ts';
import { InnerTrainingError } from './errors.ts';
import { flatten, unflatten } from './flat.ts';
import type { HyperparameterValues, LearnedComponent } from './hyperparameter.ts';
import { checkExamples, type Examples, evaluate, type Figures, inChunks, meanLoss } from './loss.ts';
import type { InnerOptimizer, Sensitive, Update } from './optimizer.ts';
import type { LossOptions } from './training-loss.ts';

/** State of a run on the host. Restoring it continues the same trajectory, on the same backend bit by bit. */
export interface TrainingSnapshot {
  /** θ, `[p]`. */
  readonly weights: Float32Array;
  /** The optimizer's buffers in its order, each `[p]`. */
  readonly buffers: readonly Float32Array[];
  /** Z: derivatives of the weights and then of each buffer, each `[q, p]` row-major; null while all are zero. */
  readonly sensitivity: readonly Float32Array[] | null;
  /** Training losses that were not taken yet. */
  readonly trainLoss: { readonly sum: number; readonly steps: number };
}

/** How hypergradients are computed. */
export type Differentiation =
  /**
   * Z is carried along, exactly (Eq. 18).
   * @param chunk directions of one pass, which bounds the memory; 16 by default.
   */
  | { readonly method: 'forward'; readonly chunk?: number }
  /** By adjoints over the last `steps` steps before each hypergradient; exact when these reach back to the window's start. */
  | { readonly method: 'reverse'; readonly steps: number };

/** The weights at which something is taken: θ, or their running average θ̄. */
export type EvaluationPoint = 'lastIterate' | 'averaged';

export interface TrainingRunOptions {
  readonly model: Model;
  readonly optimizer: InnerOptimizer;
  /** θ to start from, `[p]`. */
  readonly weights: Float32Array;
  /** What hypergradients are wanted of, q of them, in the order of the hypergradient's components. */
  readonly learned: readonly LearnedComponent[];
  /** The training loss beside its numbers; plain cross-entropy by default. */
  readonly loss?: LossOptions;
  /** Forward mode by default. */
  readonly differentiation?: Differentiation;
  /** β of θ̄ ← β θ̄ + (1 − β) θ after each step, in [0, 1); 0.98 by default. */
  readonly averaging?: number;
  /** Where hypergradients are taken; at the last iterate by default. */
  readonly evaluation?: EvaluationPoint;
}

/**
 * Weights, optimizer buffers and Z = d(weights, buffers)/dφ, where φ_k is the unconstrained coordinate of the k-th learned
 * hyperparameter (docs/method.md, sections 1 and 2). Lives on the tfjs backend in use; {@link dispose} releases it.
 */
export class TrainingRun {
  readonly model: Model;
  readonly optimizer: InnerOptimizer;
  readonly learned: readonly LearnedComponent[];
  /** Weights, then buffers; row 0 values, rows 1…q their derivatives. */
  #state: Sensitive[];
  /** Whether all derivatives are zero. */
  #insensitive = true;
  #lossSum: tf.Scalar;
  #lossSteps = 0;

  /** @throws InnerTrainingError when weights or learned hyperparameters do not fit model and optimizer. */
  constructor({ model, optimizer, weights, learned, differentiation, evaluation, loss }: TrainingRunOptions) {
    if (differentiation?.method === 'reverse' || evaluation === 'averaged' || loss?.reweighting) {
      throw new InnerTrainingError(
        'UNSUPPORTED',
        'this run can do no more than forward mode at the last iterate yet',
      );
    }
    this.model = model;
    this.optimizer = optimizer;
    this.learned = [...learned];
    this.#checkLearned();
    this.#checkLength('weights', weights, this.#size);
    const zeros = new Float32Array(weights.length);
    this.#state = [weights, ...optimizer.buffers.map(() => zeros)].map((row) => this.#sensitive(row, null));
    this.#lossSum = tf.keep(tf.scalar(0));
  }

  /** Number of learned hyperparameters. */
  get q(): number {
    return this.learned.length;
  }

  get #size(): number {
    return weightCount(this.model);
  }

  /**
   * One optimizer step on a mini-batch, for the weights and, if anything is learned, for Z (Eq. 17). Reads nothing from
   * the backend.
   * @param values of the hyperparameters.
   * @param derivatives dvalue/dphi of each learned hyperparameter, `[q]`.
   * @throws InnerTrainingError when a value is missing or outside its domain, or the batch does not fit the model.
   */
  step(batch: Examples, values: HyperparameterValues, derivatives: ArrayLike<number>): void {
    checkExamples(this.model, batch);
    const complete = this.#completeValues(values);
    const learned = this.learned.map(({ name }, k) => ({ name, derivative: derivatives[k] ?? Number.NaN }));
    const [weights, ...buffers] = this.#state as [Sensitive, ...Sensitive[]];
    const next = tf.tidy(() => {
      const { loss, gradient } = this.#trainingGradient(batch, weights);
      const updated = this.optimizer.update({ weights, buffers, gradient, values: complete, learned });
      return [tf.add(this.#lossSum, loss), updated.weights, ...updated.buffers];
    });
    const [lossSum, ...state] = next as [tf.Scalar, ...Sensitive[]];
    this.#replace(state, lossSum);
    this.#lossSteps += 1;
    this.#insensitive = this.q === 0;
  }

  /** A new window begins: Z is set to zero, for the hyperparameters have moved, and earlier steps count as given. */
  startWindow(discount = 0): void {
    if (discount !== 0) throw new InnerTrainingError('UNSUPPORTED', 'Z cannot be carried on yet');
    if (this.#insensitive) return;
    const reset = tf.tidy(() =>
      this.#state.map((rows) => this.#withZeroRows(tf.slice(rows, [0, 0], [1, -1]))),
    );
    this.#replace(reset, this.#lossSum);
    this.#insensitive = true;
  }

  /**
   * The local hypergradient h = ∇ℓ~(θ)·Z (Eq. 18), one component for each learned hyperparameter with respect to its
   * unconstrained coordinate: one reverse pass and q dot products.
   */
  hypergradient(validation: Examples): Float64Array | undefined {
    checkExamples(this.model, validation);
    if (this.#insensitive) return new Float64Array(this.q);
    const [weights] = this.#state as [Sensitive];
    const products = tf.tidy(() => {
      const gradient = this.#meanGradient(validation, weights);
      const sensitivity = tf.slice(weights, [1, 0], [this.q, -1]);
      return tf.matMul(sensitivity, gradient, false, true);
    });
    const hypergradient = Float64Array.from(products.dataSync());
    products.dispose();
    return hypergradient;
  }

  /** The hypergradients that were asked for in this window and have not been given yet, oldest first. */
  endWindow(): Float64Array[] {
    return [];
  }

  /** Loss and accuracy at the present weights. */
  evaluate(examples: Examples): Figures {
    const [weights] = this.#state as [Sensitive];
    const parameters = tf.tidy(() => this.#parameters(weights));
    try {
      return evaluate(this.model, parameters, examples);
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

  snapshot(): TrainingSnapshot {
    const rows = this.#state.map((tensor) => tensor.dataSync() as Float32Array);
    const p = this.#size;
    const [weights, ...buffers] = rows.map((row) => row.slice(0, p)) as [Float32Array, ...Float32Array[]];
    return {
      weights,
      buffers,
      sensitivity: this.#insensitive ? null : rows.map((row) => row.slice(p)),
      trainLoss: { sum: this.#lossSum.dataSync()[0] ?? Number.NaN, steps: this.#lossSteps },
    };
  }

  /** @throws InnerTrainingError when the snapshot is of another model, optimizer or number of learned hyperparameters. */
  restore({ weights, buffers, sensitivity, trainLoss }: TrainingSnapshot): void {
    const values = [weights, ...buffers];
    if (values.length !== this.#state.length || (sensitivity && sensitivity.length !== values.length)) {
      throw new InnerTrainingError(
        'SHAPE_MISMATCH',
        `the snapshot has ${buffers.length} optimizer buffers; ${this.optimizer.id} has ${this.optimizer.buffers.length}`,
      );
    }
    for (const row of values) this.#checkLength('the snapshot', row, this.#size);
    for (const rows of sensitivity ?? []) this.#checkLength('its sensitivity', rows, this.q * this.#size);
    const state = values.map((row, i) => this.#sensitive(row, sensitivity?.[i] ?? null));
    this.#replace(state, this.#lossSum);
    this.#insensitive = sensitivity === null;
    this.#setTrainLoss(trainLoss.sum, trainLoss.steps);
  }

  /** Releases the tensors; the run cannot be used afterwards. */
  dispose(): void {
    tf.dispose([...this.#state, this.#lossSum]);
  }

  /** Row 0: gradient of the training loss. Rows 1…q: its derivatives H·Z, from one pass of forward over reverse mode. */
  #trainingGradient(batch: Examples, weights: Sensitive): { loss: tf.Scalar; gradient: Sensitive } {
    const loss = meanLoss(this.model, batch);
    const parameters = this.#parameters(weights);
    if (this.#insensitive) {
      const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) => loss(tensors))(parameters);
      return { loss: value, gradient: this.#withZeroRows(flatten(grads, 1)) };
    }
    const { q } = this;
    const tangents = unflatten(tf.slice(weights, [1, 0], [q, -1]), this.model.parameters, [q]);
    const { value, gradients, gradientTangents } = gradJvp(loss, parameters, tangents);
    return { loss: value, gradient: tf.concat([flatten(gradients, 1), flatten(gradientTangents, q)], 0) };
  }

  /** Gradient of the mean loss, `[1, p]`. */
  #meanGradient(examples: Examples, weights: Sensitive): tf.Tensor2D {
    const parameters = this.#parameters(weights);
    const parts = inChunks(examples).map((chunk) =>
      tf.tidy(() => {
        const loss = meanLoss(this.model, chunk);
        const gradients = tf.grads((...tensors: tf.Tensor[]) => loss(tensors))(parameters);
        return tf.mul(flatten(gradients, 1), chunk.labels.size / examples.labels.size);
      }),
    );
    return tf.addN(parts) as tf.Tensor2D;
  }

  #parameters(weights: Sensitive): tf.Tensor[] {
    return unflatten(tf.slice(weights, [0, 0], [1, -1]), this.model.parameters, []);
  }

  #withZeroRows(row: tf.Tensor2D): Sensitive {
    return tf.pad(row, [
      [0, this.q],
      [0, 0],
    ]);
  }

  #sensitive(value: Float32Array, derivatives: Float32Array | null): Sensitive {
    const p = this.#size;
    const rows = new Float32Array((1 + this.q) * p);
    rows.set(value);
    if (derivatives) rows.set(derivatives, p);
    return tf.keep(tf.tensor2d(rows, [1 + this.q, p]));
  }

  #setTrainLoss(sum: number, steps: number): void {
    this.#replace(this.#state, tf.scalar(sum));
    this.#lossSteps = steps;
  }

  #replace(state: Sensitive[], lossSum: tf.Scalar): void {
    const kept = new Set<tf.Tensor>([...state, lossSum]);
    for (const tensor of [...this.#state, this.#lossSum]) if (!kept.has(tensor)) tensor.dispose();
    for (const tensor of kept) tf.keep(tensor);
    this.#state = state;
    this.#lossSum = lossSum;
  }

  #completeValues(values: HyperparameterValues): Update['values'] {
    const complete = this.optimizer.hyperparameters.map(({ name, min, max, defaultValue }) => {
      const value = values[name]?.[0] ?? defaultValue;
      if (value === undefined) {
        throw new InnerTrainingError(
          'UNKNOWN_HYPERPARAMETER',
          `${this.optimizer.id} needs a value of ${name}`,
        );
      }
      if (!(value >= min && value <= max)) {
        throw new InnerTrainingError('OUT_OF_DOMAIN', `${name} = ${value} is not between ${min} and ${max}`);
      }
      return [name, value] as const;
    });
    this.#checkNames(Object.keys(values));
    return Object.fromEntries(complete);
  }

  #checkLearned(): void {
    this.#checkNames(this.learned.map(({ name }) => name));
    if (new Set(this.learned.map(({ name }) => name)).size !== this.learned.length) {
      throw new InnerTrainingError(
        'UNKNOWN_HYPERPARAMETER',
        `a hyperparameter is learned twice: ${this.learned.map(({ name }) => name)}`,
      );
    }
  }

  #checkNames(names: readonly string[]): void {
    const known = this.optimizer.hyperparameters.map(({ name }) => name);
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new InnerTrainingError(
        'UNKNOWN_HYPERPARAMETER',
        `${this.optimizer.id} has no hyperparameter "${unknown}"; one of ${known.join(', ')}`,
      );
    }
  }

  #checkLength(what: string, values: Float32Array, expected: number): void {
    if (values.length !== expected) {
      throw new InnerTrainingError(
        'SHAPE_MISMATCH',
        `${what} has ${values.length} numbers where ${this.model.id} has ${expected}`,
      );
    }
  }
}
