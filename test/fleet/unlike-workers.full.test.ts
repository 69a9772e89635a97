/** Workers of one fleet that have different data sets and modules, or lack them: what one cannot train is left to others. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixed, float, type ParameterMap, type Study, space } from '@glocal/sdk';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type FleetProcess, RoleFleet } from '../support/role-fleet.ts';
import { quickSpace } from '../support/studies.ts';
import { temporaryFolder } from '../support/trainer.ts';
import { catFiles } from '../support/upload.ts';

const PATIENCE = { timeout: 240_000, interval: 50 };
vi.setConfig({ testTimeout: 600_000 });

/** @param fails once it has been trained for a while, and not when it is only described. */
const module = (scale: number, fails = false): string => `
import { defineProblem, tf } from '@glocal/trainer/problem';
let calls = 0;
const loss = ({ w }, { x }) => {
  calls += 1;
  if (${fails} && calls > 50) throw new Error('it cannot be trained');
  return tf.mean(tf.square(tf.mul(x, w)));
};
export default defineProblem({
  description: 'squares',
  build: () => ({
    parameters: { w: tf.ones([2]) },
    train: { x: tf.mul(${scale}, tf.ones([8, 2])) },
    validation: { x: tf.ones([4, 2]) },
    loss,
    validationLoss: ({ w }, { x }) => tf.mean(tf.square(tf.mul(x, w))),
  }),
});
`;

const cleanUp = new AsyncDisposableStack();
let fleet: RoleFleet;
/** Of workers: like those of the server; with others by the same names; with none that can be used. */
let like: string;
let other: string;
let without: string;

beforeAll(async () => {
  const { path } = cleanUp.use(await temporaryFolder());
  const folder = (name: string, files: Readonly<Record<string, string | Uint8Array>>): string => {
    const made = join(path, name);
    mkdirSync(join(made, 'cats'), { recursive: true });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(made, file), content);
    return made;
  };
  const cats = (changed: Readonly<Record<string, Uint8Array>>) =>
    Object.fromEntries(
      Object.entries({ ...catFiles(), ...changed }).map(([file, content]) => [join('cats', file), content]),
    );
  like = folder('like', {
    ...cats({}),
    'squares.mjs': module(1),
    'fails.mjs': module(1, true),
  });
  other = folder('other', {
    ...cats({ 'cats.csv': Buffer.from('weight,species\n7,cat\n8,dog\n9,cat\n10,dog\n') }),
    'squares.mjs': module(2),
  });
  without = folder('without', { 'squares.mjs': 'export default {;\n' });
  fleet = cleanUp.use(
    await RoleFleet.start({
      ...{ workers: 0, env: { GLOCAL_DATA_DIR: like } },
      args: ['--backend', 'cpu', '--problem-dir', like],
    }),
  );
});
afterAll(() => cleanUp.disposeAsync());

async function worker(folder: string): Promise<FleetProcess> {
  const started = fleet.another();
  await started.start({ args: ['--problem-dir', folder], env: { GLOCAL_DATA_DIR: folder } });
  return started;
}

const reason = (study: Study<ParameterMap>, pattern: RegExp, attempts: number) =>
  vi.waitFor(async () => {
    const trial = await study.trial();
    expect(trial).toMatchObject({ state: 'PENDING', attempts, crashes: 0, workerDeaths: 0 });
    expect(trial.stateReason).toMatch(pattern);
  }, PATIENCE);

const trained = (study: Study<ParameterMap>, attempts: number, after = 0) =>
  vi.waitUntil(async () => {
    const trial = await study.trial();
    return trial.attempts === attempts && trial.outerStepsDone > after && trial;
  }, PATIENCE);

const LONG = { training: { steps: 1_000_000 }, method: { estimator: 'mean', window: 10, sigma: 5 } } as const;

it.each([
  ['data set', /no data set "cats"/, /the data set cats has changed since the training of this trial began/],
  ['module', /squares\.mjs, line 1/, /the module squares has changed since the training of this trial began/],
] as const)(
  'a trial is left to others by who has not its %s, or another one',
  async (what, missing, changed) => {
    const study: Study<ParameterMap> =
      what === 'data set'
        ? await fleet.client.studies.create({
            ...LONG,
            space: quickSpace,
            problem: {
              dataset: 'cats',
              model: 'logistic',
              optimizer: 'sgd',
              batchSize: 1,
              validationExamples: 1,
            },
          })
        : await fleet.client.studies.create({
            ...LONG,
            space: space({ lr: float({ min: 1e-3, max: 0.1, init: 0.01 }), momentum: fixed(0) }),
            problem: { module: 'squares', optimizer: 'sgd', batchSize: 4 },
          });
    const lacks = await worker(without);
    await reason(study, new RegExp(`^not on this worker: .*${missing.source}.*; it starts again$`), 1);
    const has = await worker(like);
    await trained(study, 2);
    expect(await has.stop()).toBe(0);
    const { outerStepsDone } = await study.trial();

    const differs = await worker(other);
    await reason(
      study,
      new RegExp(`^not on this worker: ${changed.source}; it goes on after outer step ${outerStepsDone}$`),
      3,
    );
    const again = await worker(like);
    await trained(study, 4, outerStepsDone);
    expect((await study.trial()).datasetSha256).toMatch(/^[0-9a-f]{64}$/);
    await study.cancel();
    await Promise.all([lacks, differs, again].map((each) => each.stop()));
  },
);

it('what a module does once it is trained is the fault of the trial, and not of the worker', async () => {
  const study = await fleet.client.studies.create({
    ...LONG,
    space: space({ lr: float({ min: 1e-3, max: 0.1, init: 0.01 }) }),
    problem: { module: 'fails', optimizer: 'sgd', batchSize: 4 },
  });
  const has = await worker(like);
  expect((await study.result()).trials[0]).toMatchObject({
    ...{ state: 'FAILED', attempts: 1 },
    stateReason: expect.stringContaining('it cannot be trained'),
  });
  await has.stop();
});
