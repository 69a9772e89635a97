import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Estimator, OuterStep, Study, Trial } from '@glocal/proto/glocal/v1/study';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TrialCheckpoints } from '../checkpoint/kept.ts';
import { ObjectStoreError } from '../objects/errors.ts';
import { FolderObjects } from '../objects/folder.ts';
import { usageIsKnown } from '../process/usage.ts';
import { answerAsk } from './asked-checkpoints.ts';
import type { StartMessage } from './messages.ts';
import { MemoryLimitError, type TrainingEvents, TrainingProcess, TrainingProcessError } from './process.ts';
import { smallStudy } from './testing.ts';

const LIMITS = { memoryBytes: 0, silenceMs: 600_000 };

let training: TrainingProcess;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-process-'));
  training = new TrainingProcess(pino({ level: 'silent' }), LIMITS);
});
afterEach(async () => {
  await training.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** What the server would send for a trial of three outer steps. */
async function startMessage(dataset = 'fashion-mnist-10k'): Promise<StartMessage> {
  const study = await smallStudy({ estimator: Estimator.LOCAL, window: 2 }, { validationExamples: 20 });
  const problem = study.problem && { ...study.problem, dataset };
  return {
    type: 'start',
    study: Study.encode({ ...study, problem }).finish(),
    trial: Trial.encode(Trial.create({ name: 'studies/a/trials/0' })).finish(),
    dmd: { address: '127.0.0.1:1' },
    dmdRetryBudgetMs: 1,
    modelDir: undefined,
    artifactDir: '',
    problemDir: undefined,
    backend: undefined,
    version: '0.0.0',
    checkpoints: { kind: 'folder', path: folder },
    epoch: 4,
    trace: undefined,
    maxCheckpointBytes: 0,
    checkpoint: 0,
    storedBy: [],
  };
}

/** Files of the trial's checkpoints. */
const kept = () => readdirSync(join(folder, 'a', '0'));

/** Handlers that note what they are told. */
function listener(changes: Partial<TrainingEvents> = {}) {
  const told: string[] = [];
  const events: TrainingEvents = {
    async started({ backend }) {
      told.push(backend === '' ? 'started on nothing' : 'started');
    },
    progress: () => {},
    warning: (text) => void told.push(`warning: ${text}`),
    async outerStep(encoded) {
      told.push(`outer step ${OuterStep.decode(encoded).index}`);
    },
    proposal: () => Promise.reject(new Error('nobody drives')),
    ...changes,
  };
  return { told, events };
}

describe('a training process', () => {
  it('tells what it does, in order, and how it ended; then it is gone', async () => {
    const { told, events } = listener();
    const ended = await training.run(await startMessage(), events);
    expect(ended).toMatchObject({ outcome: 'succeeded', reason: 'all 6 inner steps done' });
    expect(told).toEqual(['started', 'outer step 1', 'outer step 2', 'outer step 3']);
    await training.kill();
  });

  it('waits for each step to be stored before it tells of the next one, and of the end', async () => {
    const told: string[] = [];
    const { events } = listener({
      async outerStep(encoded) {
        const { index } = OuterStep.decode(encoded);
        told.push(`${index} begins`);
        await new Promise((resolve) => setTimeout(resolve, 50));
        told.push(`${index} ends`);
      },
    });
    await training.run(await startMessage(), events);
    expect(told).toEqual([1, 2, 3].flatMap((index) => [`${index} begins`, `${index} ends`]));
  });

  it('has written the checkpoint of each step that it tells of, and keeps two once they are stored', async () => {
    const checkpoints: string[][] = [];
    const { events } = listener({ outerStep: async () => void checkpoints.push(kept()) });
    await training.run(await startMessage(), events);
    expect(checkpoints.map((files, i) => files.includes(`${i + 1}.4.ckpt`))).toEqual([true, true, true]);
    expect(kept().length).toBeLessThanOrEqual(3);
  });

  it('goes on after the last outer step that is stored, and trains those without a checkpoint again', async () => {
    const start = await startMessage();
    await training.run(start, listener().events);
    const trial = Trial.create({ name: 'studies/a/trials/0', outerStepsDone: 2 });
    const next = { ...start, trial: Trial.encode(trial).finish() };
    const resumed = listener();
    await new TrainingProcess(pino({ level: 'silent' }), LIMITS).run(next, resumed.events);
    expect(resumed.told).toEqual(['started', 'outer step 3']);

    for (const file of kept()) writeFileSync(join(folder, 'a', '0', file), 'GLOCALCP or something else');
    const notes: string[] = [];
    const again = listener({ started: async (message) => void notes.push(...message.notes) });
    const { outcome } = await new TrainingProcess(pino({ level: 'silent' }), LIMITS).run(next, again.events);
    expect({ outcome, told: again.told }).toEqual({ outcome: 'succeeded', told: ['outer step 3'] });
    expect(notes.join('; ')).toMatch(
      /checkpoint 2 cannot be used: it is damaged.*; outer steps 1 to 2 are trained again and not stored again$/,
    );
  });

  it('goes on when no checkpoint can be written, and says so once', async () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'not a folder');
    const { told, events } = listener();
    expect(await training.run(await startMessage(), events)).toMatchObject({ outcome: 'succeeded' });
    expect(told.filter((text) => text.startsWith('warning'))).toEqual([
      expect.stringMatching(/^warning: no checkpoint can be written: E/),
    ]);
    expect(told.filter((text) => text.startsWith('outer step'))).toHaveLength(3);
  });

  it('asks for checkpoints that it cannot reach, and has put that of each step that it tells of', async () => {
    const trial = 'studies/a/trials/0';
    const own = new TrialCheckpoints(new FolderObjects(folder), trial, 4);
    const room = { lacks: async () => undefined };
    const checkpoints: TrainingEvents['checkpoints'] = (ask) => answerAsk(own, room, ask);
    const files: string[][] = [];
    const told = listener({ checkpoints, outerStep: async () => void files.push(kept()) });
    const start = { ...(await startMessage()), checkpoints: undefined };
    expect(await training.run(start, told.events)).toMatchObject({ outcome: 'succeeded' });
    expect(told.told).toEqual(['started']);
    expect(files.map((each, i) => each.includes(`${i + 1}.4.ckpt`))).toEqual([true, true, true]);

    const next = { ...start, trial: Trial.encode(Trial.create({ name: trial, outerStepsDone: 2 })).finish() };
    const resumed = listener({ checkpoints });
    await new TrainingProcess(pino({ level: 'silent' }), LIMITS).run(next, resumed.events);
    expect(resumed.told).toEqual(['started', 'outer step 3']);
  });

  it('goes on when what it asks to keep is refused, and hears why', async () => {
    const checkpoints: TrainingEvents['checkpoints'] = async ({ what }) => {
      if (what === 'list') return [];
      if (what === 'put') throw new ObjectStoreError('too large', 'at most 1 byte (--objects)');
      return undefined;
    };
    const { told, events } = listener({ checkpoints });
    const start = { ...(await startMessage()), checkpoints: undefined };
    expect(await training.run(start, events)).toMatchObject({ outcome: 'succeeded' });
    expect(told.filter((text) => text.startsWith('warning'))).toEqual([
      'warning: no checkpoint can be written: at most 1 byte (--objects)',
    ]);
    const trial = Trial.encode(Trial.create({ name: 'studies/a/trials/0', outerStepsDone: 2 })).finish();
    const away = { ...events, checkpoints: () => Promise.reject(new ObjectStoreError('away', 'not now')) };
    const later = new TrainingProcess(pino({ level: 'silent' }), LIMITS).run({ ...start, trial }, away);
    expect(await later).toMatchObject({
      outcome: 'paused',
      reason: 'its checkpoints cannot be read: not now',
      cause: 'machine',
    });
  });

  it('refuses a data set that is another one than before', async () => {
    const trial = Trial.create({ name: 'studies/a/trials/0', outerStepsDone: 1, datasetSha256: 'ab' });
    const start = { ...(await startMessage()), trial: Trial.encode(trial).finish() };
    expect(await training.run(start, listener().events)).toMatchObject({
      outcome: 'unfit',
      reason: 'the data set fashion-mnist-10k has changed since the training of this trial began',
    });
  });

  it('fails, and says why, when it cannot train', async () => {
    const { told, events } = listener();
    const ended = await training.run(await startMessage('imagenet'), events);
    expect(ended).toMatchObject({
      outcome: 'unfit',
      reason: expect.stringContaining('no data set "imagenet"'),
    });
    expect(told).toEqual([]);
  });

  it('ends when what it told cannot be stored', async () => {
    const { events } = listener({
      outerStep: () => Promise.reject(new Error('the disk is full')),
    });
    await expect(training.run(await startMessage(), events)).rejects.toThrow('the disk is full');
  });

  it('is an error with the signal when it is killed', async () => {
    const { events } = listener({ started: () => training.kill() });
    const running = training.run(await startMessage(), events);
    await expect(running).rejects.toThrow(TrainingProcessError);
    await expect(running).rejects.toThrow(/^the training process ended with SIGTERM/);
  });

  it.skipIf(!usageIsKnown())('is ended when it takes more memory than it may', async () => {
    const small = new TrainingProcess(pino({ level: 'silent' }), { ...LIMITS, memoryBytes: 40 * 1024 ** 2 });
    // It would have ended before anybody looks.
    const { events } = listener({ outerStep: () => new Promise(() => {}) });
    const running = small.run(await startMessage(), events);
    await expect(running).rejects.toThrow(MemoryLimitError);
    await expect(running).rejects.toThrow(
      /^the training process took \d+ MiB of memory; 40 MiB are allowed$/,
    );
  });

  it.skipIf(!usageIsKnown())(
    'is ended when it has come to a stand, though it does not hear a signal',
    async () => {
      const stopped = new TrainingProcess(pino({ level: 'silent' }), { ...LIMITS, silenceMs: 3_000 });
      const { events } = listener({ started: async () => void process.kill(stopped.pid, 'SIGSTOP') });
      const running = stopped.run(await startMessage(), events);
      await expect(running).rejects.toThrow(TrainingProcessError);
      await expect(running).rejects.toThrow(/ for ([3-9]|\d\d) s$/);
    },
  );

  it('can be killed before it trains, and twice', async () => {
    const running = training.run(await startMessage(), listener().events);
    const ended = expect(running).rejects.toThrow(TrainingProcessError);
    await Promise.all([training.kill(), training.kill()]);
    await ended;
    await training.kill();
  });
});
