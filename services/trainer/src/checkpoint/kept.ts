/**
 * Where checkpoints are: `STUDY/TRIAL/OUTER_STEP.EPOCH.ckpt` in a store of objects. The epoch is that of the claim that wrote
 * it, so that who has lost a trial overwrites nothing of who has it now. Those of the first releases have none.
 */

import type { ObjectStore } from '../objects/store.ts';

/** A checkpoint of a trial. */
export interface CheckpointId {
  /** After which it was written. */
  readonly outerStep: number;
  /** Of the claim that wrote it; 0 where that is not known. */
  readonly epoch: number;
}

/** The checkpoints of one trial, for who has claimed it. */
export interface Checkpoints {
  /** Durable when it resolves; then it replaces one of the same outer step and claim, and before that it changes nothing. */
  put(outerStep: number, bytes: Uint8Array): Promise<CheckpointId>;
  get(id: CheckpointId): Promise<Uint8Array | undefined>;
  /** Of all claims, by outer step and then by epoch, ascending. */
  list(): Promise<CheckpointId[]>;
  remove(id: CheckpointId): Promise<void>;
  /** Removes what a process that was killed had no time to complete. */
  discardIncomplete(): Promise<void>;
}

const NAME = /^(\d{1,9})(?:\.(\d{1,15}))?\.ckpt$/;

/** In a store of objects that has those of all trials. */
export class TrialCheckpoints implements Checkpoints {
  readonly #objects: ObjectStore;
  readonly #prefix: string;
  readonly #epoch: number;

  /**
   * @param trial its resource name.
   * @param epoch of the claim.
   */
  constructor(objects: ObjectStore, trial: string, epoch: number) {
    this.#objects = objects;
    this.#prefix = prefixOf(trial);
    this.#epoch = epoch;
  }

  async put(outerStep: number, bytes: Uint8Array): Promise<CheckpointId> {
    const id = { outerStep, epoch: this.#epoch };
    await this.#objects.put(this.#key(id), bytes);
    return id;
  }

  get(id: CheckpointId): Promise<Uint8Array | undefined> {
    return this.#objects.get(this.#key(id));
  }

  async list(): Promise<CheckpointId[]> {
    const found = await Array.fromAsync(this.#objects.list(this.#prefix));
    return found.flatMap(({ key }) => idOf(key.slice(this.#prefix.length)) ?? []).sort(inOrder);
  }

  remove(id: CheckpointId): Promise<void> {
    return this.#objects.remove(this.#key(id));
  }

  discardIncomplete(): Promise<void> {
    return this.#objects.discardIncomplete(this.#prefix);
  }

  #key({ outerStep, epoch }: CheckpointId): string {
    return `${this.#prefix}${outerStep}${epoch === 0 ? '' : `.${epoch}`}.ckpt`;
  }
}

/** The checkpoints of all trials of a store. */
export class CheckpointRoot {
  readonly objects: ObjectStore;

  constructor(objects: ObjectStore) {
    this.objects = objects;
  }

  /** What is kept of a trial: the outer steps, ascending, and the bytes. */
  async kept(trial: string): Promise<{ readonly outerSteps: number[]; readonly bytes: number }> {
    const prefix = prefixOf(trial);
    const found = await Array.fromAsync(this.objects.list(prefix));
    const outerSteps = found.flatMap(({ key }) => idOf(key.slice(prefix.length))?.outerStep ?? []);
    return {
      outerSteps: [...new Set(outerSteps)].sort((one, other) => one - other),
      bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Resource names of the trials that have one, and when the last of each was written. */
  async trials(): Promise<Map<string, Date>> {
    const trials = new Map<string, Date>();
    for await (const { key, modified } of this.objects.list('')) {
      const [study, trial, ...others] = key.split('/');
      if (study === undefined || trial === undefined || others.length !== 1) continue;
      const name = `studies/${study}/trials/${trial}`;
      const last = trials.get(name);
      if (last === undefined || last < modified) trials.set(name, modified);
    }
    return trials;
  }

  /** Removes the checkpoints of a trial. */
  async discard(trial: string): Promise<void> {
    await this.objects.removeAll(prefixOf(trial));
  }

  /** Removes the checkpoints of all trials of a study. */
  async discardStudy(study: string): Promise<void> {
    await this.objects.removeAll(`${study.slice('studies/'.length)}/`);
  }
}

function prefixOf(trial: string): string {
  const [, study = '', , number = ''] = trial.split('/');
  return `${study}/${number}/`;
}

function idOf(name: string): CheckpointId | undefined {
  const [, outerStep, epoch = 0] = NAME.exec(name) ?? [];
  return outerStep === undefined ? undefined : { outerStep: Number(outerStep), epoch: Number(epoch) };
}

const inOrder = (one: CheckpointId, other: CheckpointId): number =>
  one.outerStep - other.outerStep || one.epoch - other.epoch;
