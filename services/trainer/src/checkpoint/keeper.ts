/** Keeps the last checkpoints of a trial while it trains, and finds the one to go on from. */

import { PausedError } from '../lifecycle/transitions.ts';
import type { SavedLoop } from '../loop/outer-loop.ts';
import { ObjectStoreError } from '../objects/errors.ts';
import type { OuterStepsOfClaim } from '../store/store.ts';
import { CheckpointError } from './errors.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Origin } from './format.ts';
import type { CheckpointId, Checkpoints } from './kept.ts';
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
  /** In order. Of an outer step there are several where it was trained again. */
  #written: CheckpointId[] = [];
  /** The last outer step that is stored. */
  #lastStored = 0;

  constructor(checkpoints: Checkpoints, origin: Origin, space: Pick<CheckpointSpace, 'lacks'>) {
    this.#checkpoints = checkpoints;
    this.#origin = origin;
    this.#space = space;
  }

  /**
   * The last checkpoint that can be used, of whichever claim. Those of outer steps that were never stored are removed, as these
   * are trained again, and so are those of claims that had lost the trial before these were stored, and what was not written to
   * its end.
   * @param outerStepsDone outer steps that are stored.
   * @param latest checkpoints after this one are not used; undefined for the newest.
   * @param storedBy which claims have stored them.
   * @throws PausedError when outer steps are stored and a store of checkpoints elsewhere cannot be asked for them.
   */
  async find(
    outerStepsDone: number,
    latest = outerStepsDone,
    storedBy: readonly OuterStepsOfClaim[] = [],
  ): Promise<Found> {
    const notes: string[] = [];
    this.#lastStored = outerStepsDone;
    try {
      await this.#checkpoints.discardIncomplete();
      const all = await this.#checkpoints.list();
      this.#written = all.filter((id) => id.outerStep <= outerStepsDone && !isOfLoser(id, storedBy));
      for (const id of all) if (!this.#written.includes(id)) await this.#checkpoints.remove(id);
    } catch (error) {
      if (outerStepsDone > 0) pauseWithoutStore(error);
      notes.push(`the checkpoints cannot be looked for: ${(error as Error).message}`);
    }
    for (const id of this.#written.filter(({ outerStep }) => outerStep <= latest).toReversed()) {
      if (this.#isOvertaken(id)) continue;
      try {
        const { origin, saved } = await this.#read(id);
        for (const what of ['library', 'backend'] as const) {
          if (origin[what] !== this.#origin[what]) {
            notes.push(`the ${what} was "${origin[what]}" and is "${this.#origin[what]}" now`);
          }
        }
        return { saved, notes };
      } catch (error) {
        pauseWithoutStore(error);
        notes.push(`checkpoint ${id.outerStep} cannot be used: ${(error as Error).message}`);
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
    const id = await this.#checkpoints.put(index, bytes);
    // Of the same outer step the claim's own comes last: it is the newest.
    const others = this.#written.filter(({ outerStep, epoch }) => outerStep !== index || epoch !== id.epoch);
    this.#written = [...others, id].sort((one, other) => one.outerStep - other.outerStep);
    return bytes.length;
  }

  /** Removes what is not needed once an outer step is stored. */
  async stored(outerStep: number): Promise<void> {
    this.#lastStored = outerStep;
    await this.#keep(KEPT);
  }

  /** Of the outer steps that are stored, so many of the last keep theirs. */
  async #keep(count: number): Promise<void> {
    const stored = this.#written.map(({ outerStep }) => outerStep).filter((step) => step <= this.#lastStored);
    const old = new Set([...new Set(stored)].slice(0, -count));
    for (const id of this.#written) {
      if (!old.has(id.outerStep) && !this.#isOvertaken(id)) continue;
      await this.#checkpoints.remove(id);
      this.#written = this.#written.filter((kept) => kept !== id);
    }
  }

  /**
   * Whether a later claim has trained that outer step again, or one before. The earlier one may have written it after it had
   * lost the trial, and it need not be what was stored then.
   */
  #isOvertaken({ outerStep, epoch }: CheckpointId): boolean {
    return this.#written.some((other) => other.epoch > epoch && other.outerStep <= outerStep);
  }

  async #read(id: CheckpointId): Promise<Checkpoint> {
    const bytes = await this.#checkpoints.get(id);
    if (bytes === undefined) throw new CheckpointError('it is gone');
    const checkpoint = decodeCheckpoint(bytes);
    const { origin, saved } = checkpoint;
    for (const what of ['trial', 'datasetSha256'] as const) {
      if (origin[what] !== this.#origin[what]) {
        throw new CheckpointError(`it is of another ${what === 'trial' ? 'trial' : 'data set'}`);
      }
    }
    if (saved.state.outerStepsDone !== id.outerStep) {
      throw new CheckpointError(`it is of outer step ${saved.state.outerStepsDone}`);
    }
    return checkpoint;
  }
}

/** Whether a later claim has stored that outer step: what an earlier one has made of it need not be the same. */
const isOfLoser = ({ outerStep, epoch }: CheckpointId, storedBy: readonly OuterStepsOfClaim[]): boolean =>
  storedBy.some((claim) => claim.epoch > epoch && claim.first <= outerStep);

/** What is elsewhere may be there later: a trial rather waits than to train all of it again. */
function pauseWithoutStore(error: unknown): void {
  if (!(error instanceof ObjectStoreError)) return;
  throw new PausedError({ why: `its checkpoints cannot be read: ${error.message}`, cause: 'machine' });
}
