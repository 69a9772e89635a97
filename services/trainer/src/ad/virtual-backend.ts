/**
 * A tfjs backend whose data are dual numbers: every data id stands for a primal tensor and q tangents of it, both
 * ordinary tensors of an underlying backend. Ordinary `tf.*` code that runs on it carries its directional derivatives
 * along, and reverse mode that runs on it gives gradients with theirs (docs/method.md, section 3).
 * What each kernel does to the tangents stands in `rules/`; this file only keeps the records.
 */

import * as tf from '@tensorflow/tfjs-core';
import { alias, currentBackend, withBackend } from './engine.ts';
import { DifferentiationError } from './errors.ts';

/** A tensor with its q directional derivatives; a missing tangent is zero. */
export interface Dual {
  readonly primal: tf.Tensor;
  /** Shape `[q, ...primal.shape]`. */
  readonly tangent: tf.Tensor | undefined;
}

interface DualRecord extends Dual {
  /** How many virtual tensors share the data id. */
  references: number;
  /** Whether the tensors are disposed with the record; lent ones belong to somebody else. */
  owned: boolean;
}

/** Backend `jvp/<underlying>`. Virtual tensors live no longer than the call of `gradJvp` or `jvp` that made them. */
export class VirtualBackend extends tf.KernelBackend {
  readonly underlying: string;
  readonly #records = new Map<object, DualRecord>();

  constructor(underlying: string) {
    super();
    this.underlying = underlying;
  }

  get name(): string {
    return nameOn(this.underlying);
  }

  /** What a tensor stands for; one that is not virtual is a constant. */
  resolve(tensor: tf.TensorInfo): Dual {
    return this.#records.get(tensor.dataId) ?? { primal: tensor as tf.Tensor, tangent: undefined };
  }

  has(tensor: tf.TensorInfo): boolean {
    return this.#records.has(tensor.dataId);
  }

  /** Takes the tensors over, out of any scope, and answers with virtual data that stand for them. */
  own(primal: tf.Tensor, tangent: tf.Tensor | undefined): tf.TensorInfo {
    tf.keep(primal);
    if (tangent !== undefined) tf.keep(tangent);
    return this.#add({ primal, tangent, references: 1, owned: true });
  }

  /** A virtual tensor for tensors that stay the caller's, who keeps them until the virtual tensor is gone. */
  lend(primal: tf.Tensor, tangent: tf.Tensor | undefined): tf.Tensor {
    const data = this.#add({ primal, tangent, references: 1, owned: false });
    return tf.engine().makeTensorFromTensorInfo(data, this);
  }

  /** The tensors behind a virtual tensor as kept ones that outlive it and are the caller's. */
  release(tensor: tf.Tensor): Dual {
    const record = this.#records.get(tensor.dataId);
    if (record?.owned) {
      record.owned = false;
      return record;
    }
    const { primal, tangent } = record ?? this.resolve(tensor);
    return withBackend(this.underlying, () => ({
      primal: tf.keep(alias(primal)),
      tangent: tangent && tf.keep(alias(tangent)),
    }));
  }

  #add(record: DualRecord): tf.TensorInfo {
    const dataId = {};
    this.#records.set(dataId, record);
    return { dataId, shape: record.primal.shape, dtype: record.primal.dtype };
  }

  #get(dataId: object): DualRecord {
    const record = this.#records.get(dataId);
    if (record === undefined) throw new Error(`${this.name} does not hold this tensor; it was disposed`);
    return record;
  }

  /** Values that are made while the backend is in use are constants. */
  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: object,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    const primal = withBackend(this.underlying, () =>
      tf.engine().makeTensor(values as tf.DataValues, shape, dtype),
    );
    this.#records.set(dataId, { primal: tf.keep(primal), tangent: undefined, references, owned: true });
  }

  /**
   * Values of the primal, as with `tf.grad`: what is computed from them by hand is a constant.
   * @throws DifferentiationError when an underlying kernel asks, which would drop the tangent.
   */
  override readSync(dataId: object): tf.BackendValues {
    return this.#readable(dataId).dataSync();
  }

  override read(dataId: object): Promise<tf.BackendValues> {
    return this.#readable(dataId).data();
  }

  #readable(dataId: object): tf.Tensor {
    const { primal, tangent } = this.#get(dataId);
    if (tangent !== undefined && currentBackend() !== this.name) {
      throw new DifferentiationError(
        'TANGENT_LOST',
        `a tensor with tangents of ${this.name} reached backend ${currentBackend()}, where they would be lost; ` +
          'do not switch backends within a loss, nor keep its tensors',
      );
    }
    return primal;
  }

  override refCount(dataId: object): number {
    return this.#records.get(dataId)?.references ?? 0;
  }

  override incRef(dataId: object): void {
    this.#get(dataId).references += 1;
  }

  override disposeData(dataId: object, force = false): boolean {
    const record = this.#records.get(dataId);
    if (record === undefined) return true;
    record.references -= 1;
    if (record.references > 0 && !force) return false;
    if (record.owned) {
      record.primal.dispose();
      record.tangent?.dispose();
    }
    this.#records.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.#records.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 16 | 32 {
    return tf.findBackend(this.underlying).floatPrecision();
  }

  override epsilon(): number {
    return tf.findBackend(this.underlying).epsilon();
  }

  override time(run: () => void): Promise<tf.BackendTimingInfo> {
    return tf.findBackend(this.underlying).time(run);
  }

  override dispose(): void {
    for (const dataId of [...this.#records.keys()]) this.disposeData(dataId, true);
  }
}

/** The virtual backend's name. */
export const nameOn = (underlying: string): string => `jvp/${underlying}`;
