/** Keeps the last checkpoints of a trial while it trains, and finds the one to go on from. */

import type { SavedLoop } from '../loop/outer-loop.ts';
import { CheckpointError } from './errors.ts';
import type { Checkpoints } from './folder.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Origin } from './format.ts';
import type { CheckpointSpace } from './space.ts';

/** Of the outer steps that are stored, so many of the last have a checkpoint; those that are not stored yet, too. */
const KEPT = 2;

export interface Found {
  /** Where to go on; undefined from the beginning. */
  readonly saved: SavedLoop | undefined;
  /** For people: what was found and could not be used, or has another origin. */
  readonly notes: readonly string[];
}

export class CheckpointKeeper {
  readonly #checkpoints: Checkpoints;
  readonly #origin: Origin;
  readonly #space: Pick<CheckpointSpace, 'lacks'>;
  /** Ascending. */
  #written: number[] = [];
  /** The last outer step that is stored. */
  #lastStored = 0;

  constructor(checkpoints: Checkpoints, origin: Origin, space: Pick<CheckpointSpace, 'lacks'>) {
    this.#checkpoints = checkpoints;
    this.#origin = origin;
    this.#space = space;
  }

  /**
   * The last checkpoint that can be used. Those of outer steps that were never stored are removed, as these are trained again,
   * and so is what was not written to its end.
   * @param outerStepsDone outer steps that are stored.
   * @param latest checkpoints after this one are not used.
   */
  async find(outerStepsDone: number, latest = outerStepsDone): Promise<Found> {
    const notes: string[] = [];
    this.#lastStored = outerStepsDone;
    try {
      await this.#checkpoints.discardIncomplete();
      const all = await this.#checkpoints.list();
      this.#written = all.filter((index) => index <= outerStepsDone);
      for (const index of all.slice(this.#written.length)) await this.#checkpoints.remove(index);
    } catch (error) {
      notes.push(`the folder of checkpoints cannot be used: ${(error as Error).message}`);
    }
    for (const index of this.#written.filter((written) => written <= latest).toReversed()) {
      try {
        const { origin, saved } = await this.#read(index);
        for (const what of ['library', 'backend'] as const) {
          if (origin[what] !== this.#origin[what]) {
            notes.push(`the ${what} was "${origin[what]}" and is "${this.#origin[what]}" now`);
          }
        }
        return { saved, notes };
      } catch (error) {
        notes.push(`checkpoint ${index} cannot be used: ${(error as Error).message}`);
      }
    }
    if (notes.length === 0 && outerStepsDone > 0) notes.push('there is no checkpoint');
    return { saved: undefined, notes };
  }

  /**
   * Durable when it resolves, with its size in bytes. Where room is short, only the last one of a stored outer step stays beside it.
   * @throws CheckpointError when there is no room.
   */
  async write(saved: SavedLoop): Promise<number> {
    const index = saved.state.outerStepsDone;
    const bytes = encodeCheckpoint({ origin: this.#origin, saved });
    if ((await this.#space.lacks(bytes.length)) !== undefined) {
      await this.#keep(1);
      const lack = await this.#space.lacks(bytes.length);
      if (lack !== undefined) throw new CheckpointError(lack);
    }
    await this.#checkpoints.put(index, bytes);
    this.#written = [...this.#written.filter((written) => written !== index), index].sort((a, b) => a - b);
    return bytes.length;
  }

  /** Removes what is not needed once an outer step is stored. */
  async stored(outerStep: number): Promise<void> {
    this.#lastStored = outerStep;
    await this.#keep(KEPT);
  }

  /** Of the outer steps that are stored, so many of the last keep theirs. */
  async #keep(count: number): Promise<void> {
    const old = this.#written.filter((index) => index <= this.#lastStored).slice(0, -count);
    this.#written = this.#written.filter((index) => !old.includes(index));
    for (const index of old) await this.#checkpoints.remove(index);
  }

  async #read(index: number): Promise<Checkpoint> {
    const bytes = await this.#checkpoints.get(index);
    if (bytes === undefined) throw new CheckpointError('it is gone');
    const checkpoint = decodeCheckpoint(bytes);
    const { origin, saved } = checkpoint;
    for (const what of ['trial', 'datasetSha256'] as const) {
      if (origin[what] !== this.#origin[what]) {
        throw new CheckpointError(`it is of another ${what === 'trial' ? 'trial' : 'data set'}`);
      }
    }
    if (saved.state.outerStepsDone !== index) {
      throw new CheckpointError(`it is of outer step ${saved.state.outerStepsDone}`);
    }
    return checkpoint;
  }
}
