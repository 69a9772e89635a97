import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrialState } from '@glocal/proto/glocal/v1/study';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SavedLoop } from '../loop/outer-loop.ts';
import { initialState } from '../loop/state.ts';
import { CheckpointFolder, CheckpointRoot } from './folder.ts';
import { CheckpointKeeper } from './keeper.ts';
import { CheckpointSpace } from './space.ts';
import { discardLeftOver } from './tidy.ts';

const ORIGIN = { trial: 'studies/a/trials/0', library: '1.0', backend: 'cpu', datasetSha256: 'ab' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const keeperOf = (origin = {}, maxBytes = 0) =>
  new CheckpointKeeper(
    new CheckpointFolder(folder),
    { ...ORIGIN, ...origin },
    new CheckpointSpace(folder, maxBytes),
  );
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
    expect(await keeperOf({ trial: 'studies/b/trials/0' }).find(1)).toEqual({
      saved: undefined,
      notes: ['checkpoint 1 cannot be used: it is of another trial'],
    });
    expect((await keeperOf({ datasetSha256: 'cd' }).find(1)).notes).toEqual([
      'checkpoint 1 cannot be used: it is of another data set',
    ]);
  });

  it('are used by another version and on another backend, which is said', async () => {
    await written(1);
    const { saved: found, notes } = await keeperOf({ library: '2.0', backend: 'wasm' }).find(1);
    expect(found).toEqual(saved(1));
    expect(notes).toEqual([
      'the library was "1.0" and is "2.0" now',
      'the backend was "cpu" and is "wasm" now',
    ]);
  });

  it('are not written where all together would take too many bytes, and the last one stays to go on from', async () => {
    await written(1);
    const { size } = statSync(join(folder, '1.ckpt'));
    mkdirSync(join(folder, 'others'));
    writeFileSync(join(folder, 'others', '7.ckpt'), Buffer.alloc(size));
    const keeper = keeperOf({}, 3 * size);
    await keeper.find(1);
    await keeper.write(saved(2));
    await keeper.stored(2);
    // The first makes room for the third, and nothing does for the fourth.
    await keeper.write(saved(3));
    expect(files()).toEqual(['2.ckpt', '3.ckpt', 'others']);
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

describe('the folder of a store', () => {
  it('loses the checkpoints of trials that are gone or have ended, unless they FAILED', async () => {
    const root = new CheckpointRoot(join(folder, 'all'));
    const states = [
      TrialState.PENDING,
      TrialState.FAILED,
      TrialState.SUCCEEDED,
      TrialState.CANCELLED,
      undefined,
    ];
    for (const i of states.keys()) mkdirSync(root.folderOf(`studies/s${i}/trials/${i}`), { recursive: true });
    const getTrial = async (name: string) => {
      const state = states[Number(name.split('/').at(-1))];
      return state === undefined ? undefined : ({ name, state } as never);
    };
    await discardLeftOver({ getTrial }, root, pino({ level: 'silent' }));
    expect(readdirSync(join(folder, 'all')).sort()).toEqual(['s0', 's1']);
    expect((await root.trials()).sort()).toEqual(['studies/s0/trials/0', 'studies/s1/trials/1']);
  });

  it('tells what is kept of a trial', async () => {
    const root = new CheckpointRoot(join(folder, 'all'));
    const trial = root.folderOf('studies/a/trials/0');
    mkdirSync(trial, { recursive: true });
    for (const index of [10, 9]) writeFileSync(join(trial, `${index}.ckpt`), Buffer.alloc(5));
    expect(await root.kept('studies/a/trials/0')).toEqual({ outerSteps: [9, 10], bytes: 10 });
    expect(await root.kept('studies/a/trials/1')).toEqual({ outerSteps: [], bytes: 0 });
    await root.discardStudy('studies/a');
    expect(await root.trials()).toEqual([]);
  });

  it('is no trouble when it does not exist', async () => {
    const root = new CheckpointRoot(join(folder, 'none'));
    expect(await root.trials()).toEqual([]);
    await root.discard('studies/a/trials/0');
  });
});
