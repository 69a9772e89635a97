/** What the SDK steers, with a real trainer. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bool, categorical, discrete, fixed, float, type OuterStep, space, vector } from '@glocal/sdk';
import { afterAll, beforeAll, expect, expectTypeOf, it } from 'vitest';
import { DELAYS, quickStudy, SIGMA, WINDOW } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

let trainer: TestTrainer;
beforeAll(async () => {
  trainer = await TestTrainer.start();
});
afterAll(() => trainer[Symbol.asyncDispose]());

it('a trial is driven by its client, and shows what was decided', async () => {
  const study = await trainer.client.studies.create({
    ...quickStudy({ outerSteps: 4 }),
    mode: 'driven',
    decisionTimeout: 60_000,
  });
  for await (const window of study.drive({ includeWindows: true })) {
    expect(window.window?.hypergradients).toHaveLength(SIGMA);
    expect(window.deadline?.getTime()).toBeGreaterThan(Date.now());
    if (window.index === 1) {
      await expect(window.set({ lr: 7 })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        fieldViolations: [{ field: 'lr', description: expect.stringContaining('7') }],
      });
      expect((await window.set({ lr: 0.03 })).nextValues.lr).toBeCloseTo(0.03, 12);
    } else if (window.index === 2) await window.accept({ outerRate: 0.1 });
    else await window.stop('enough');
  }
  const { state, trials } = await study.result();
  expect({ state, steps: trials[0]?.stepsDone }).toEqual({ state: 'COMPLETED', steps: 3 * WINDOW });
  const steps: OuterStep[] = [];
  for await (const step of study.outerSteps()) steps.push(step);
  expect(steps.map(({ update }) => update?.decision)).toMatchObject([
    { action: 'set', values: { lr: 0.03 } },
    { action: 'accept', outerRate: 0.1 },
    { action: 'stop', reason: 'enough' },
  ]);
  expect(steps[1]?.values.lr).toBeCloseTo(0.03, 12);
  expect(steps[0]?.update?.sources).toContain('driver');
});

it('an external trial is trained by its client, a vector too', async () => {
  const study = await trainer.client.studies.create({
    mode: 'external',
    space: space({
      mix: vector({ size: 2, min: 0, max: 1, init: 0.5 }),
      rate: float({ min: -4, max: 4, init: 2, scale: 'linear' }),
      depth: fixed(3),
    }),
    training: { steps: 6 * WINDOW },
    method: { estimator: 'glocal', window: WINDOW, sigma: SIGMA, dmd: { delays: DELAYS } },
  });
  await using session = await study.report();
  const distances: number[] = [];
  while (session.ended === undefined) {
    const { mix, rate } = session.values;
    distances.push(Math.abs(rate - 1));
    // Of a quadratic, whose minimum is at 0.2 and 1; it settles during a window.
    const rows = Array.from({ length: SIGMA }, (_, row) =>
      [...mix.map((value) => value - 0.2), rate - 1].map((slope) => slope * (1 - 0.6 ** (row + 1))),
    );
    await session.rows(rows.slice(0, 4));
    const step = await session.rows(rows.slice(4), { trainLoss: rate });
    if (step !== undefined) expect(step).toMatchObject({ trainLoss: rate, verdict: 'TRUSTED' });
  }
  expect(session.ended.state).toBe('SUCCEEDED');
  expect(distances.slice(0, 6)).toHaveLength(6);
  expect(distances[5]).toBeLessThan(distances[0] as number);
  // What came back can be given again.
  expect((await trainer.client.studies.validate({ ...study, displayName: 'again' })).mode).toBe('external');
});

it('trials have what their study lets them choose from', async () => {
  const { problem, ...quick } = quickStudy({ outerSteps: 1, estimator: 'local' });
  const { optimizer: _chosen, batchSize: _too, ...rest } = problem;
  const study = await trainer.client.studies.create({
    ...quick,
    problem: rest,
    space: space({
      lr: float({ min: 1e-3, max: 1, init: [0.01, 0.02], scale: 'log' }),
      optimizer: categorical(['sgd', 'adam']),
      batchSize: discrete([16, 32]),
      standardize: bool(),
    }),
    sampling: { method: 'sobol', points: 3, maxRunningTrials: 1 },
    labels: { team: 'vision' },
  });
  expect(study.sampling).toEqual({ method: 'sobol', points: 3, seed: 0, maxRunningTrials: 1 });
  // What came back can be given again.
  expect((await trainer.client.studies.validate({ ...study })).sampling.points).toBe(3);
  let count = 0;
  for await (const { choices } of study.trials()) {
    count += 1;
    expect(['sgd', 'adam']).toContain(choices.optimizer);
    expect([16, 32]).toContain(choices.batchSize);
    expect([0.01, 0.02]).toContain(choices.lr);
    expect(choices.standardize).toBeTypeOf('boolean');
    expectTypeOf(choices.optimizer).toEqualTypeOf<'sgd' | 'adam'>();
  }
  expect(count).toBe(3);
  const found: string[] = [];
  const labels = { team: 'vision' };
  for await (const { name } of trainer.client.studies.list({ labels, states: ['ACTIVE', 'COMPLETED'] })) {
    found.push(name);
  }
  expect(found).toEqual([study.name]);
  await study.cancel();
});

it('a study is paused, resumed and deleted', async () => {
  const study = await trainer.client.studies.create(quickStudy({ outerSteps: 2_000 }));
  for await (const event of study.watch()) if (event.type === 'outerStep') break;
  await study.pause();
  await expect.poll(async () => (await study.trial()).state, { timeout: 60_000 }).toBe('PAUSED');
  expect((await study.refresh()).state).toBe('PAUSED');
  const { checkpoints, checkpointBytes, outerStepsDone } = await study.trial();
  expect(checkpoints.at(-1)).toBe(outerStepsDone);
  expect(checkpointBytes).toBeGreaterThan(0);
  expect((await study.resume({ trials: [{ trial: 0 }] })).state).toBe('ACTIVE');
  await expect(study.delete()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  await study.delete({ force: true });
  await study.delete();
  await expect(study.refresh()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('a window is analyzed again with other options', async () => {
  const study = await trainer.client.studies.create(quickStudy({ outerSteps: 1 }));
  await study.result();
  const { report } = await study.outerStep(1);
  const same = await study.reanalyze(1);
  expect(same.report.verdict).toBe(report?.verdict);
  expect(same.report.glocal?.[0]).toBeCloseTo(report?.glocal?.[0] as number, 12);
  const other = await study.reanalyze(1, { sigma: SIGMA - 1, dmd: { variant: 'mean' } });
  expect(other.report.glocal?.[0]).toBeCloseTo(other.report.mean[0] as number, 12);
  expect(other.hypergradient).toHaveLength(2);
});

it('a data set is uploaded, named by a study, and deleted', async () => {
  await using folder = await temporaryFolder();
  const rows = Array.from(
    { length: 60 },
    (_, i) => `${i % 7},${(i * i) % 5},${i % 2 === 0 ? 'even' : 'odd'}`,
  );
  await writeFile(join(folder.path, 'table.csv'), `${['a,b,label', ...rows].join('\n')}\n`);
  await writeFile(
    join(folder.path, 'dataset.json'),
    JSON.stringify({
      format: 'csv',
      classes: ['even', 'odd'],
      train: 'table.csv',
      testFraction: 0.25,
      label: 'label',
      features: ['a', 'b'],
    }),
  );
  const { artifacts, studies } = trainer.client;
  const artifact = await artifacts.upload(folder.path, { displayName: 'a table' });
  expect(artifact).toMatchObject({ kind: 'dataset', displayName: 'a table' });
  expect((await artifacts.upload(folder.path)).name).toBe(artifact.name);
  const listed: string[] = [];
  for await (const { name } of artifacts.list()) listed.push(name);
  expect(listed).toEqual([artifact.name]);
  const { problem, ...quick } = quickStudy({ outerSteps: 1 });
  const dataset = { ...problem, dataset: artifact.name, batchSize: 4, validationExamples: 10 };
  expect((await studies.validate({ ...quick, problem: dataset })).problem.dataset).toBe(artifact.name);
  await artifacts.delete(artifact.name);
  await expect(artifacts.get(artifact.name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('the server tells its limits as numbers, and of its DMD service', async () => {
  const { limits, dmd, caller } = await trainer.client.serverInfo();
  expect(Object.values(limits).filter((limit) => typeof limit !== 'number')).toEqual([]);
  expect(dmd?.reachable).toBe(true);
  expect(caller).toBeUndefined();
});
