import { DmdOptions, Scaling, Variant, type WindowReport } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, type OuterStep, Source, type Study } from '@glocal/proto/glocal/v1/study';
import {
  ReanalyzeWindowRequest,
  type ReanalyzeWindowResponse,
  StudyServiceService,
} from '@glocal/proto/glocal/v1/study_service';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Channel } from '../support/grpc.ts';
import { dmdProcesses } from '../support/processes.ts';
import { refusal } from '../support/refusal.ts';
import { after, externalStudy, Reporter, rowsAt, SIGMA } from '../support/reporter.ts';
import { DELAYS, quickStudy } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

/** Enough windows for the norms of earlier ones to count. */
const WINDOWS = 4;

let trainer: TestTrainer;
let channel: Channel;
/** By the kind of its study. */
let trials: { trained: string; few: string; many: string; mean: string };

const cleanUp = new AsyncDisposableStack();
beforeAll(async () => {
  trainer = cleanUp.use(await TestTrainer.start());
  channel = cleanUp.use(new Channel(trainer.address));
  const trained = await trainer.client.studies.create(quickStudy({ outerSteps: WINDOWS }));
  trials = {
    few: await report(externalStudy({ windows: WINDOWS })),
    many: await report(externalStudy({ windows: WINDOWS, size: 1_500 })),
    mean: await report(externalStudy({ windows: 1, estimator: Estimator.MEAN })),
    trained: `${trained.name}/trials/0`,
  };
  await trained.result();
});
afterAll(() => cleanUp.disposeAsync());

/** Trains a trial from outside. @returns its name. */
async function report(study: Study): Promise<string> {
  using reporter = new Reporter(trainer.address);
  const name = await reporter.create(study);
  let at: Pick<Parameters<typeof rowsAt>[0], 'outerStep' | 'values'> = await reporter.position(name);
  for (let window = 0; window < (study.training?.steps ?? 0) / 20; window++) {
    const answer = await reporter.report({ outerStep: at.outerStep, rows: rowsAt(at) });
    at = after(answer.value as OuterStep);
  }
  return name;
}

const reanalyze = (request: Partial<ReanalyzeWindowRequest>): Promise<ReanalyzeWindowResponse> =>
  channel.unary(StudyServiceService.reanalyzeWindow, ReanalyzeWindowRequest.fromPartial(request));
const stored = (name: string): Promise<OuterStep> =>
  channel.unary(StudyServiceService.getOuterStep, { name });
const withoutTime = (report: WindowReport | undefined) => report && { ...report, computeTime: undefined };
const options = (dmd: Partial<DmdOptions>) => ({ dmd: DmdOptions.fromPartial(dmd) });
const lastOf = (trial: string, index = WINDOWS) => `${trial}/outerSteps/${index}`;

describe('a stored window', () => {
  it.each(['trained', 'few', 'many'] as const)(
    'gives its report again with the options of its study: %s',
    async (kind) => {
      for (const index of [1, WINDOWS]) {
        const { report, update } = await stored(lastOf(trials[kind], index));
        const again = await reanalyze({ name: lastOf(trials[kind], index) });
        expect(withoutTime(again.report)).toEqual(withoutTime(report));
        expect(report?.verdictFigures?.spikeRatio === undefined).toBe(index === 1);
        expect(again.reason).toBe(report?.verdictReason);
        if (update?.hypergradient.length) expect(again.hypergradient).toEqual(update.hypergradient);
        expect(again.sources).toEqual(update?.sources);
      }
    },
  );

  it('gives another report with other options', async () => {
    const name = lastOf(trials.few);
    const { report } = await reanalyze({ name });
    for (const dmd of [
      { variant: Variant.LAST },
      { delays: 2 },
      { svdRank: 1 },
      { clip: 0.5 },
      { ridge: 1 },
      { lastShare: 1 },
      { scaling: Scaling.NONE },
    ]) {
      const other = await reanalyze({ name, ...options(dmd) });
      expect(withoutTime(other.report), JSON.stringify(dmd)).not.toEqual(withoutTime(report));
    }
  });

  it('is taken from its last rows only when that is asked for', async () => {
    const name = lastOf(trials.few);
    const whole = await reanalyze({ name, sigma: SIGMA });
    expect(withoutTime(whole.report)).toEqual(withoutTime((await reanalyze({ name })).report));
    const part = await reanalyze({ name, sigma: DELAYS + 2 });
    expect(part.report?.last).toEqual(whole.report?.last);
    expect(part.report?.mean).not.toEqual(whole.report?.mean);
  });

  it('tells what GLOCAL would have used in a study of another estimator', async () => {
    const { report, sources, hypergradient } = await reanalyze({ name: lastOf(trials.mean, 1) });
    expect(report?.glocal).toBeDefined();
    expect(sources.every((source) => source === Source.GLOCAL || source === Source.MEAN)).toBe(true);
    expect(hypergradient).toHaveLength(3);
  });

  it.each<[string, Partial<ReanalyzeWindowRequest>]>([
    ['sigma', { sigma: SIGMA + 1 }],
    ['sigma', { sigma: -1 }],
    ['sigma', { sigma: 3 }],
    ['dmd.delays', options({ delays: SIGMA })],
    ['dmd.delays', options({ delays: 0 })],
    ['dmd.svd_rank', options({ svdRank: 1.5 })],
    ['dmd.tolerance', options({ tolerance: 0 })],
    ['dmd.clip', options({ clip: 1 })],
    ['dmd.ridge', options({ ridge: Number.NaN })],
    ['dmd.last_share', options({ lastShare: -0.1 })],
    ['dmd.variant', options({ variant: 99 as Variant })],
    ['dmd.scaling', options({ scaling: 99 as Scaling })],
    ['dmd.stride', options({ stride: 2 })],
    ['name', { name: 'studies/a' }],
  ])('is not analyzed with a wrong %s', async (field, request) => {
    const error = await refusal(reanalyze({ name: lastOf(trials.few), ...request }));
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, violations: [{ field }] });
  });

  it('must be there, and have rows', async () => {
    const gone = await refusal(reanalyze({ name: lastOf(trials.few, WINDOWS + 1) }));
    expect(gone.code).toBe(status.NOT_FOUND);
    using reporter = new Reporter(trainer.address);
    const local = await reporter.create(externalStudy({ windows: 2, estimator: Estimator.LOCAL }));
    await reporter.position(local);
    await reporter.report({ rows: [[1, 2, 3]] });
    const single = await refusal(reanalyze({ name: lastOf(local, 1) }));
    expect(single).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'STATE' });
  });

  it('waits for the DMD service that is away, but not for long', async () => {
    for (const { pid } of dmdProcesses(trainer.pid)) process.kill(pid, 'SIGSTOP');
    try {
      const error = await refusal(reanalyze({ name: lastOf(trials.few) }));
      expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: 'DMD_UNAVAILABLE' });
    } finally {
      for (const { pid } of dmdProcesses(trainer.pid)) process.kill(pid, 'SIGCONT');
    }
  });
});
