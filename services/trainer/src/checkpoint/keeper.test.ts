import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrialState } from '@glocal/proto/glocal/v1/study';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SavedLoop } from '../loop/outer-loop.ts';
import { initialState } from '../loop/state.ts';
import { ObjectStoreError } from '../objects/errors.ts';
import { FolderObjects } from '../objects/folder.ts';
import { CheckpointKeeper } from './keeper.ts';
import { CheckpointRoot, type Checkpoints, TrialCheckpoints } from './kept.ts';
import { CheckpointSpace } from './space.ts';
import { discardLeftOver } from './tidy.ts';

const ORIGIN = { trial: 'studies/a/trials/0', library: '1.0', backend: 'cpu', datasetSha256: 'ab' };

let root: string;
/** Of the trial. */
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'glocal-checkpoint-'));
  folder = join(root, 'a', '0');
  mkdirSync(folder, { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Claimed {
  readonly origin?: object;
  readonly maxBytes?: number;
  readonly epoch?: number;
  readonly checkpoints?: Partial<Checkpoints>;
}

/** Epoch 0 writes what the first releases did. */
function keeperOf({ origin = {}, maxBytes = 0, epoch = 0, checkpoints = {} }: Claimed = {}) {
  const objects = new FolderObjects(root);
  const own = new TrialCheckpoints(objects, ORIGIN.trial, epoch);
  const all: Checkpoints = {
    put: (outerStep, bytes) => own.put(outerStep, bytes),
    get: (id) => own.get(id),
    list: () => own.list(),
    remove: (id) => own.remove(id),
    discardIncomplete: () => own.discardIncomplete(),
    ...checkpoints,
  };
  return new CheckpointKeeper(all, { ...ORIGIN, ...origin }, new CheckpointSpace(objects, maxBytes));
}
const saved = (outerStepsDone: number): SavedLoop => ({
  state: { ...initialState(Float64Array.of(1), 0.1, 2), outerStepsDone },
  snapshot: { state: { weights: Float32Array.of(outerStepsDone) } },
});
const files = () => readdirSync(folder).sort();

async function written(...indices: readonly number[]): Promise<CheckpointKeeper> {
  const keeper = keeperOf();
  for (const index of indices) await keeper.write(saved(index));
  return keeper;
}

describe('the checkpoints of a trial', () => {
  it('are the last two of outer steps that are stored, and all later ones', async () => {
    const keeper = await written(1, 2, 3, 4, 5);
    await keeper.stored(3);
    expect(files()).toEqual(['2.ckpt', '3.ckpt', '4.ckpt', '5.ckpt']);
    await keeper.stored(5);
    expect(files()).toEqual(['4.ckpt', '5.ckpt']);
  });

  it('stay when later ones could not be written', async () => {
    const keeper = await written(1, 2);
    await keeper.stored(9);
    expect(files()).toEqual(['1.ckpt', '2.ckpt']);
  });

  it('give the one of the last stored outer step, and those of steps that nobody knows are removed', async () => {
    await written(1, 2, 3, 4);
    expect(await keeperOf().find(3)).toEqual({ saved: saved(3), notes: [] });
    expect(files()).toEqual(['1.ckpt', '2.ckpt', '3.ckpt']);
  });

  it('are without what a process that was killed had no time to complete', async () => {
    await written(1);
    writeFileSync(join(folder, '2.ckpt.4711.incomplete'), 'half of it');
    expect(await keeperOf().find(1)).toEqual({ saved: saved(1), notes: [] });
    expect(files()).toEqual(['1.ckpt']);
  });

  it('are counted by who goes on from them, too', async () => {
    await written(1, 2);
    const keeper = keeperOf();
    await keeper.find(2);
    await keeper.write(saved(3));
    await keeper.stored(3);
    expect(files()).toEqual(['2.ckpt', '3.ckpt']);
  });

  it('give the one before when the last is damaged, and name it', async () => {
    await written(1, 2);
    const bytes = readFileSync(join(folder, '2.ckpt'));
    bytes[50] = (bytes[50] ?? 0) + 1;
    writeFileSync(join(folder, '2.ckpt'), bytes);
    const { saved: found, notes } = await keeperOf().find(2);
    expect(found?.state.outerStepsDone).toBe(1);
    expect(notes).toEqual(['checkpoint 2 cannot be used: it is damaged: its checksum is another one']);
  });

  it('are not taken for those of another trial, another data set or another outer step', async () => {
    await written(1);
    writeFileSync(join(folder, '2.ckpt'), readFileSync(join(folder, '1.ckpt')));
    expect(await keeperOf({ origin: { trial: 'studies/b/trials/0' } }).find(1)).toEqual({
      saved: undefined,
      notes: ['checkpoint 1 cannot be used: it is of another trial'],
    });
    expect((await keeperOf({ origin: { datasetSha256: 'cd' } }).find(1)).notes).toEqual([
      'checkpoint 1 cannot be used: it is of another data set',
    ]);
  });

  it('are used by another version and on another backend, which is said', async () => {
    await written(1);
    const { saved: found, notes } = await keeperOf({ origin: { library: '2.0', backend: 'wasm' } }).find(1);
    expect(found).toEqual(saved(1));
    expect(notes).toEqual([
      'the library was "1.0" and is "2.0" now',
      'the backend was "cpu" and is "wasm" now',
    ]);
  });

  it('are not written where all together would take too many bytes, and the last one stays to go on from', async () => {
    await written(1);
    const { size } = statSync(join(folder, '1.ckpt'));
    mkdirSync(join(root, 'others'));
    writeFileSync(join(root, 'others', '7.ckpt'), Buffer.alloc(size));
    const keeper = keeperOf({ maxBytes: 3 * size });
    await keeper.find(1);
    await keeper.write(saved(2));
    await keeper.stored(2);
    // The first makes room for the third, and nothing does for the fourth.
    await keeper.write(saved(3));
    expect(files()).toEqual(['2.ckpt', '3.ckpt']);
    await expect(keeper.write(saved(4))).rejects.toThrow(
      `it has ${size} bytes, and ${3 * size} of the ${3 * size} that checkpoints may have are taken`,
    );
    expect((await keeperOf().find(3)).saved?.state.outerStepsDone).toBe(3);
  });

  it('are gone on from not after the one that was chosen', async () => {
    await written(1, 2, 3);
    expect((await keeperOf().find(3, 2)).saved?.state.outerStepsDone).toBe(2);
    expect(files()).toEqual(['1.ckpt', '2.ckpt', '3.ckpt']);
  });

  it('are missed when outer steps are stored', async () => {
    expect(await keeperOf().find(0)).toEqual({ saved: undefined, notes: [] });
    expect((await keeperOf().find(3)).notes).toEqual(['there is no checkpoint']);
  });
});

describe('the checkpoints of a trial that was claimed again', () => {
  /** Outer steps, written by a claim; returns its keeper. */
  async function claimed(epoch: number, stored: number, ...indices: readonly number[]) {
    const keeper = keeperOf({ epoch });
    await keeper.find(stored);
    for (const index of indices) await keeper.write(saved(index));
    return keeper;
  }
  const found = async (stored: number) => (await keeperOf({ epoch: 9 }).find(stored)).saved;

  it('are gone on from, whoever wrote them, the first releases among them, and are counted together', async () => {
    await claimed(0, 0, 1, 2);
    const keeper = await claimed(1, 2, 3);
    await keeper.stored(3);
    expect(files()).toEqual(['2.ckpt', '3.1.ckpt']);
    expect(await found(3)).toEqual(saved(3));
    const next = await claimed(2, 3, 4);
    await next.stored(4);
    expect(files()).toEqual(['3.1.ckpt', '4.2.ckpt']);
  });

  it('are not overwritten by who has lost the trial, and these are not gone on from', async () => {
    const late = await claimed(1, 0, 1, 2);
    const owner = await claimed(2, 2, 3);
    const other = { ...saved(3), snapshot: { state: { weights: Float32Array.of(99) } } };
    await late.write(other);
    await owner.stored(3);
    expect(files()).toEqual(['2.1.ckpt', '3.1.ckpt', '3.2.ckpt']);
    expect(await found(3)).toEqual(saved(3));
    await late.write({ ...other, state: { ...other.state, outerStepsDone: 4 } });
    // The owner stores it without a checkpoint of its own.
    expect(await found(4)).toEqual(saved(3));
  });

  it('are not gone on from where another claim has stored the outer step, though it has left none of its own', async () => {
    await claimed(1, 0, 1, 2);
    const late = await claimed(2, 2);
    await late.write(saved(3));
    // The third claim went on from 2, stored 3 and 4 while nothing could be written, and died.
    const storedBy = [
      { epoch: 1, first: 1 },
      { epoch: 3, first: 3 },
    ];
    const keeper = keeperOf({ epoch: 4 });
    expect((await keeper.find(4, undefined, storedBy)).saved).toEqual(saved(2));
    expect(files()).toEqual(['1.1.ckpt', '2.1.ckpt']);
  });

  it('are gone on from where a later claim has trained the outer step again', async () => {
    await claimed(1, 0, 1, 2);
    await claimed(2, 2, 2);
    const storedBy = [{ epoch: 1, first: 1 }];
    expect((await keeperOf({ epoch: 3 }).find(2, undefined, storedBy)).saved).toEqual(saved(2));
    expect(files()).toEqual(['1.1.ckpt', '2.1.ckpt', '2.2.ckpt']);
  });

  it('replace those of the same outer step when it is trained again', async () => {
    await claimed(1, 0, 1, 2);
    const again = await claimed(2, 2, 2, 3);
    await again.stored(3);
    expect(files()).toEqual(['2.2.ckpt', '3.2.ckpt']);
  });
});

describe('checkpoints elsewhere that cannot be read', () => {
  const away = () => Promise.reject(new ObjectStoreError('away', 'the object store (--objects) is away'));
  const pause = {
    why: 'its checkpoints cannot be read: the object store (--objects) is away',
    cause: 'machine',
  };

  it('let the trial wait where it would have to be trained again', async () => {
    await written(1);
    for (const checkpoints of [{ list: away }, { get: away }, { discardIncomplete: away }]) {
      await expect(keeperOf({ checkpoints }).find(1)).rejects.toMatchObject({ name: 'PausedError', pause });
    }
    expect((await keeperOf().find(1)).saved).toEqual(saved(1));
  });

  it('are no trouble for a trial that has none', async () => {
    const { saved: none, notes } = await keeperOf({ checkpoints: { list: away } }).find(0);
    expect({ none, notes }).toEqual({
      none: undefined,
      notes: ['the checkpoints cannot be looked for: the object store (--objects) is away'],
    });
  });

  it('stay to be removed later', async () => {
    let fails = true;
    const folderOf = new TrialCheckpoints(new FolderObjects(root), ORIGIN.trial, 0);
    const remove: Checkpoints['remove'] = (id) => (fails ? away() : folderOf.remove(id));
    const keeper = keeperOf({ checkpoints: { remove } });
    for (const index of [1, 2, 3]) await keeper.write(saved(index));
    await expect(keeper.stored(3)).rejects.toThrow('is away');
    expect(files()).toEqual(['1.ckpt', '2.ckpt', '3.ckpt']);
    fails = false;
    await keeper.stored(3);
    expect(files()).toEqual(['2.ckpt', '3.ckpt']);
  });
});

describe('the checkpoints of all trials', () => {
  const rootOf = () => new CheckpointRoot(new FolderObjects(join(root, 'all')));
  const put = (checkpoints: CheckpointRoot, trial: string, ...names: readonly string[]) =>
    Promise.all(
      names.map((name) => {
        const [, study, , number] = trial.split('/');
        return checkpoints.objects.put(`${study}/${number}/${name}.ckpt`, Buffer.alloc(5));
      }),
    );

  it('lose those of trials that are gone or have ended, unless they FAILED', async () => {
    const checkpoints = rootOf();
    const states = [
      TrialState.PENDING,
      TrialState.FAILED,
      TrialState.SUCCEEDED,
      TrialState.CANCELLED,
      undefined,
    ];
    for (const i of states.keys()) await put(checkpoints, `studies/s${i}/trials/${i}`, '1.1');
    const getTrial = async (name: string) => {
      const state = states[Number(name.split('/').at(-1))];
      return state === undefined ? undefined : ({ name, state } as never);
    };
    const quiet = pino({ level: 'silent' });
    // Another server may be about to store the trial that is not known.
    await discardLeftOver({ getTrial }, checkpoints, quiet, new Date(Date.now() - 60_000));
    expect(readdirSync(join(root, 'all')).sort()).toEqual(['s0', 's1', 's4']);
    await discardLeftOver({ getTrial }, checkpoints, quiet, new Date(Date.now() + 1_000));
    expect(readdirSync(join(root, 'all')).sort()).toEqual(['s0', 's1']);
    expect([...(await checkpoints.trials()).keys()].sort()).toEqual([
      'studies/s0/trials/0',
      'studies/s1/trials/1',
    ]);
  });

  it('tell what is kept of a trial', async () => {
    const checkpoints = rootOf();
    await put(checkpoints, 'studies/a/trials/0', '10.2', '9', '10.1');
    expect(await checkpoints.kept('studies/a/trials/0')).toEqual({ outerSteps: [9, 10], bytes: 15 });
    expect(await checkpoints.kept('studies/a/trials/1')).toEqual({ outerSteps: [], bytes: 0 });
    await checkpoints.discardStudy('studies/a');
    expect((await checkpoints.trials()).size).toBe(0);
  });

  it('are no trouble when there is no folder', async () => {
    const checkpoints = rootOf();
    expect((await checkpoints.trials()).size).toBe(0);
    await checkpoints.discard('studies/a/trials/0');
  });
});
