import { Estimator, OuterStep, Study, Trial } from '@glocal/proto/glocal/v1/study';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StartMessage } from './messages.ts';
import { type TrainingEvents, TrainingProcess, TrainingProcessError } from './process.ts';
import { smallStudy } from './testing.ts';

let training: TrainingProcess;
beforeEach(() => {
  training = new TrainingProcess(pino({ level: 'silent' }));
});
afterEach(() => training.kill());

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
    backend: undefined,
  };
}

/** Handlers that note what they are told. */
function listener(changes: Partial<TrainingEvents> = {}) {
  const told: string[] = [];
  const events: TrainingEvents = {
    async started({ backend }) {
      told.push(backend === '' ? 'started on nothing' : 'started');
    },
    progress: () => {},
    async outerStep(encoded) {
      told.push(`outer step ${OuterStep.decode(encoded).index}`);
    },
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

  it('fails, and says why, when it cannot train', async () => {
    const { told, events } = listener();
    const ended = await training.run(await startMessage('imagenet'), events);
    expect(ended).toMatchObject({
      outcome: 'failed',
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

  it('can be killed before it trains, and twice', async () => {
    const running = training.run(await startMessage(), listener().events);
    const ended = expect(running).rejects.toThrow(TrainingProcessError);
    await Promise.all([training.kill(), training.kill()]);
    await ended;
    await training.kill();
  });
});
