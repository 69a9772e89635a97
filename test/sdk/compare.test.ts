/** Studies side by side. */

import { Verdict, WindowReport } from '@glocal/proto/glocal/v1/dmd';
import {
  Estimator,
  Method,
  Problem,
  type Study as StudyMessage,
  StudyState,
  Training,
  type Trial as TrialMessage,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { type Comparison, GlocalClient, type Study } from '@glocal/sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { outerStep, study, trial } from './support/messages.ts';
import { type ScriptedServer, startScriptedServer } from './support/scripted-server.ts';

interface Made {
  readonly estimator?: Estimator;
  readonly steps?: number;
  readonly dataset?: string;
  /** Validation losses of its trials, one for each seed. */
  readonly losses: readonly number[];
}

let server: ScriptedServer | undefined;
let client: GlocalClient | undefined;
afterEach(() => {
  client?.close();
  server?.stop();
});

const messageOf = (
  name: string,
  { estimator = Estimator.FIXED, steps = 100, dataset = 'd' }: Made,
): StudyMessage => ({
  ...study(StudyState.COMPLETED),
  ...{ name, displayName: name.replace('studies/', '') },
  problem: Problem.create({ dataset, model: 'm', optimizer: 'sgd' }),
  training: Training.create({ steps, seeds: [0] }),
  method: Method.create({ estimator, window: 50 }),
});

const trialsOf = (name: string, { losses }: Made): TrialMessage[] =>
  losses.map((loss, seed) =>
    trial(seed, {
      ...{ name: `${name}/trials/${seed}`, state: TrialState.SUCCEEDED, cost: 1.25 },
      values: [{ name: 'lr', value: 0.02, values: [] }],
      validation: { loss, accuracy: 1 - loss / 2, examples: 100 },
      test: { loss: loss + 0.1, accuracy: 0.7, examples: 100 },
    }),
  );

/** Studies of a server, in the order given. */
async function studiesOf(made: Readonly<Record<string, Made>>): Promise<Study[]> {
  const find = (name: string): [string, Made] => {
    const [id = ''] = name.replace('studies/', '').split('/');
    return [`studies/${id}`, made[id] as Made];
  };
  server = await startScriptedServer({
    getStudy: ({ request }, callback) => callback(null, messageOf(...find(request.name))),
    listTrials: ({ request }, callback) =>
      callback(null, { trials: trialsOf(...find(request.parent)), nextPageToken: '' }),
    listOuterSteps: (_call, callback) => {
      const verdicts = [Verdict.TRUSTED, Verdict.TRUSTED, Verdict.DIVERGING];
      const outerSteps = verdicts.map((verdict, i) =>
        outerStep(i + 1, { report: WindowReport.create({ verdict }) }),
      );
      callback(null, { outerSteps, nextPageToken: '' });
    },
  });
  client = new GlocalClient({ address: server.address });
  const { studies } = client;
  return Promise.all(Object.keys(made).map((id) => studies.get(`studies/${id}`)));
}

async function compare(made: Readonly<Record<string, Made>>): Promise<Comparison> {
  const [first, ...others] = await studiesOf(made);
  return (first as Study).compare(others);
}

describe('a comparison', () => {
  it('has the best of each, means over its seeds, and how far they are apart', async () => {
    const { studies, obstacles, lead } = await compare({
      hand: { losses: [0.9, 1.0] },
      glocal: { losses: [0.7, 0.6, 0.5], estimator: Estimator.GLOCAL },
    });
    expect(obstacles).toEqual([]);
    expect(studies).toMatchObject([
      {
        ...{ name: 'studies/hand', state: 'COMPLETED', estimator: 'fixed', trials: 2, succeeded: 2 },
        best: { seed: 0, values: { lr: 0.02 }, validation: { loss: 0.9 } },
        verdicts: { TRUSTED: 0 },
      },
      {
        ...{ name: 'studies/glocal', estimator: 'glocal', trials: 3 },
        best: { seed: 2, validation: { loss: 0.5 } },
        verdicts: { TRUSTED: 6, DIVERGING: 3, OSCILLATING: 0 },
      },
    ]);
    const [hand, glocal] = studies.map(({ figures }) => figures.validationLoss);
    expect(hand?.mean).toBeCloseTo(0.95, 12);
    expect(hand?.deviation).toBeCloseTo(Math.sqrt(0.005), 12);
    expect(hand?.difference).toBeUndefined();
    expect(glocal).toMatchObject({ count: 3, mean: expect.closeTo(0.6), deviation: expect.closeTo(0.1) });
    expect(glocal?.difference).toBeCloseTo(-0.35, 12);
    const error = Math.sqrt(0.005 / 2 + 0.01 / 3);
    expect(glocal?.differenceError).toBeCloseTo(error, 12);
    expect(studies[1]?.figures.cost).toMatchObject({ mean: 1.25, difference: 0 });
    expect(lead).toEqual({
      ...{ study: 'studies/glocal', over: 'studies/hand' },
      ...{ by: expect.closeTo(0.35, 12), error: expect.closeTo(error, 12) },
    });
  });

  it.each<[string, readonly number[], readonly number[], string | undefined, string]>([
    ['the same losses', [0.5, 0.6], [0.5, 0.6], undefined, 'losses are the same.'],
    ['one and the same loss', [0.5], [0.5], undefined, 'There is no difference between one and other'],
    [
      'losses within their standard error',
      [0.5, 0.6],
      [0.51, 0.61],
      undefined,
      'losses are 0.0100 ± 0.0707 apart, which is not more than the standard error.',
    ],
    ['a loss that is lower', [0.50001], [0.5], 'studies/other', 'loss is 1.0e-5 below that of one.'],
    ['losses that are clearly lower', [0.5, 0.51], [0.6, 0.61], 'studies/one', 'one is better'],
  ])('of %s has a lead only where there is one', async (_, one, other, leader, said) => {
    const comparison = await compare({ one: { losses: one }, other: { losses: other } });
    expect(comparison.lead?.study).toBe(leader);
    expect(String(comparison)).toContain(said);
  });

  it('of a study with itself has no lead', async () => {
    const [one] = (await studiesOf({ one: { losses: [0.5, 0.6] } })) as [Study];
    expect((await one.compare(one)).lead).toBeUndefined();
  });

  it('takes one study or several, and prints as a table', async () => {
    const [a, b, c] = (await studiesOf({
      ...{ a: { losses: [0.5] }, b: { losses: [0.4] }, c: { losses: [0.6] } },
    })) as [Study, Study, Study];
    expect(String(await a.compare(b))).toContain(
      'b is better: its validation loss is 0.1000 below that of a.',
    );
    const three = await a.compare([b, c]);
    expect(three.studies.map(({ figures }) => figures.validationLoss?.difference?.toFixed(2))).toEqual([
      undefined,
      '-0.10',
      '0.10',
    ]);
    expect(JSON.parse(JSON.stringify(three))).toMatchObject({
      lead: { study: 'studies/b', over: 'studies/a' },
    });
  });

  it.each<[string, Made, unknown[]]>([
    ['problem.dataset', { losses: [0.5], dataset: 'e' }, ['d', 'e']],
    ['training.steps', { losses: [0.5], steps: 200 }, [100, 200]],
  ])('says so when the studies differ in %s', async (field, other, values) => {
    const comparison = await compare({ one: { losses: [0.6] }, other });
    expect(comparison.obstacles).toEqual([{ field, values }]);
    expect(comparison.lead).toBeUndefined();
    expect(comparison.studies[1]?.figures.validationLoss).toMatchObject({ mean: 0.5, difference: undefined });
    expect(String(comparison)).toContain('cannot be compared');
  });

  it('of studies without results has none', async () => {
    const comparison = await compare({ one: { losses: [] }, other: { losses: [] } });
    expect(comparison).toMatchObject({ lead: undefined, studies: [{ best: undefined, figures: {} }, {}] });
    expect(String(comparison)).toContain('no two validation losses');
  });
});
