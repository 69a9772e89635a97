/** Problems that modules define: they train as docs/problems.md says, and what is wrong in them is told with file and line. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Estimator,
  EvaluationPoint,
  Scale,
  Study,
  StudyState,
  type Trial,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import { decodeRow } from '@glocal/trainer/dmd';
import { type ServiceError, status } from '@grpc/grpc-js';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Channel } from '../support/grpc.ts';
import { descendants, expectGone, trainingProcesses } from '../support/processes.ts';
import { rejection } from '../support/rejection.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const GUIDE = new URL('../../docs/problems.md', import.meta.url);
const RIDGE = /```js\n(.*?)```/s.exec(readFileSync(GUIDE, 'utf8'))?.[1] ?? '';

const SMALL = `
import { defineProblem, tf } from '@glocal/trainer/problem';
let calls = 0;
export default defineProblem({
  description: 'fails',
  build: () => ({
    parameters: { w: tf.ones([2]) },
    train: { x: tf.ones([8, 2]) },
    validation: { x: tf.ones([4, 2]) },
    loss: ({ w }, { x }) => {
      calls += 1;
      if (calls > 12) throw new Error('no more');
      return tf.mean(tf.square(tf.mul(x, w)));
    },
    validationLoss: ({ w }, { x }) => tf.mean(tf.square(tf.mul(x, w))),
  }),
});
`;

const cleanUp = new AsyncDisposableStack();
let trainer: TestTrainer;
let channel: Channel;

beforeAll(async () => {
  const { path } = cleanUp.use(await temporaryFolder());
  writeFileSync(join(path, 'ridge.mjs'), RIDGE);
  // Nor does what it says to the server take that along.
  writeFileSync(join(path, 'fails.mjs'), `${SMALL}process.send?.(null);\n`);
  writeFileSync(join(path, 'torn.ts'), "const number: string = '';\n\nexport default {;\n");
  mkdirSync(join(path, 'other'));
  writeFileSync(join(path, 'other', 'index.js'), 'export default { description: "no problem" };\n');
  trainer = cleanUp.use(await TestTrainer.start({ args: ['--problem-dir', path] }));
  channel = cleanUp.use(new Channel(trainer.address));
});
afterAll(() => cleanUp.disposeAsync());

const LR = 0.1;
const STEPS = 15;
const FEATURES = 4;
const DECAY = 0.1;

const requested = (problem: Study['problem'] | object): Study =>
  Study.fromPartial({
    problem: { optimizer: 'sgd', ...problem },
    space: { parameters: [{ name: 'lr', kind: { $case: 'fixed', value: { value: LR } } }, decay()] },
    training: { steps: 2 * STEPS },
    method: {
      estimator: Estimator.GLOCAL,
      evaluation: EvaluationPoint.LAST_ITERATE,
      window: STEPS,
      sigma: 10,
    },
  });

function decay() {
  const value = { min: 0, max: 10, initial: DECAY, scale: Scale.LINEAR };
  return { name: 'decay', kind: { $case: 'float' as const, value } };
}

const ridge = (options: object = { features: FEATURES }) =>
  requested({ module: 'ridge', batchSize: 40, options });

async function ended(study: Study): Promise<{ study: Study; trial: Trial }> {
  const { name } = await channel.unary(Api.createStudy, { study, requestId: '' });
  await channel.serverStream(Api.watchStudy, { name, cursor: '', maxLag: 0 });
  return {
    study: await channel.unary(Api.getStudy, { name }),
    trial: await channel.unary(Api.getTrial, { name: `${name}/trials/0` }),
  };
}

/** The data of the guide's example, in numbers. */
function data(part: 'train' | 'held') {
  return tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R2>([80, FEATURES], 0, 1, 'float32', 1);
    const truth = tf.tensor2d(Array.from({ length: FEATURES }, (_, i) => [i % 2 === 0 ? 1 : 0]));
    const y = tf.add(tf.matMul(x, truth), tf.randomNormal([80, 1], 0, 1, 'float32', 2));
    const begin = part === 'train' ? 0 : 40;
    return {
      x: tf.slice(x, [begin, 0], [40, -1]).arraySync() as number[][],
      y: (tf.slice(y, [begin, 0], [40, -1]).arraySync() as number[][]).map(([value = 0]) => value),
    };
  });
}

/** Gradient of the mean square of the residuals, and its Hessian, in double precision. */
function squares({ x, y }: ReturnType<typeof data>, w: readonly number[]) {
  const residuals = x.map((row, i) => row.reduce((sum, value, k) => sum + value * (w[k] ?? 0), -(y[i] ?? 0)));
  const column = (k: number) => x.map((row) => row[k] ?? 0);
  const mean = (one: readonly number[], other: readonly number[]) =>
    one.reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0) / one.length;
  return {
    gradient: w.map((_, k) => 2 * mean(column(k), residuals)),
    hessian: w.map((_, k) => w.map((__, l) => 2 * mean(column(k), column(l)))),
  };
}

/** The hypergradients by the decays after each of the last 10 of the steps, by the recursion for gradient descent. */
function expectedRows(): number[][] {
  const [train, held] = [data('train'), data('held')];
  const axes = Array.from({ length: FEATURES }, (_, k) => k);
  let w = axes.map(() => 0);
  /** dw_k/ddecay_j. */
  let z = axes.map(() => axes.map(() => 0));
  const rows: number[][] = [];
  for (let step = 0; step < STEPS; step++) {
    const { gradient, hessian } = squares(train, w);
    const [before, zBefore] = [w, z];
    w = axes.map((k) => (before[k] ?? 0) - LR * ((gradient[k] ?? 0) + 2 * DECAY * (before[k] ?? 0)));
    z = axes.map((k) =>
      axes.map((j) => {
        const curved = axes.reduce((sum, l) => sum + (hessian[k]?.[l] ?? 0) * (zBefore[l]?.[j] ?? 0), 0);
        const penalty = 2 * DECAY * (zBefore[k]?.[j] ?? 0) + (j === k ? 2 * (before[k] ?? 0) : 0);
        return (zBefore[k]?.[j] ?? 0) - LR * (curved + penalty);
      }),
    );
    const outer = squares(held, w).gradient;
    rows.push(axes.map((j) => axes.reduce((sum, k) => sum + (outer[k] ?? 0) * (z[k]?.[j] ?? 0), 0)));
  }
  return rows.slice(-10);
}

describe("the guide's module", () => {
  it('is listed with its options and hyperparameters; what cannot be loaded is in the log with file, line and reason', async () => {
    const { modules } = await channel.unary(Api.listProblems, { pageSize: 0, pageToken: '' });
    expect(modules.map(({ id }) => id)).toEqual(['fails', 'other', 'ridge', 'torn']);
    const listed = modules.find(({ id }) => id === 'ridge');
    expect(listed).toMatchObject({
      description: 'Ridge regression with a weight decay for each feature',
      parameters: 6,
      trainExamples: 40,
      validationExamples: 40,
      hyperparameters: [{ name: 'decay', min: 0, max: 10, defaultValue: 0, size: 6 }],
    });
    expect(JSON.parse(listed?.optionsSchema ?? '')).toMatchObject({
      properties: { features: { type: 'integer', default: 6 }, noise: { type: 'number' } },
    });
    const log = trainer.log.join('\n');
    expect(log).toMatch(/module torn cannot be used: torn\.ts, line 3: /);
    expect(log).toMatch(/module other cannot be used: other.index\.js exports no problem/);
  });

  it('trains with GLOCAL, and its hypergradients are those of the recursion in double precision', async () => {
    const { study, trial } = await ended(ridge());
    expect({ state: study.state, reason: trial.stateReason }).toEqual({
      state: StudyState.COMPLETED,
      reason: 'all 30 inner steps done',
    });
    expect(trial.test?.loss).toBeGreaterThan(0);
    expect(trial.test?.accuracy).toBeNaN();
    const name = `${trial.name}/outerSteps/1`;
    const { window, report } = await channel.unary(Api.getOuterStep, { name });
    expect(window?.components).toEqual(['decay/0', 'decay/1', 'decay/2', 'decay/3']);
    expect(report).toBeDefined();
    const row = (i: number) =>
      decodeRow((window?.hypergradients ?? Buffer.of()).subarray(i * 8 * FEATURES, (i + 1) * 8 * FEATURES));
    for (const [i, expected] of expectedRows().entries()) {
      for (const [k, value] of expected.entries()) expect(row(i)[k]).toBeCloseTo(value, 5);
    }
  });

  it.each<[string, object, string, RegExp]>([
    ['an option that does not fit', { options: { features: 1 } }, 'problem.options', /features: .*>=2/],
    ['an unknown option', { options: { colour: 1 } }, 'problem.options', /colour/],
    [
      'an option with a name that would be lost',
      { options: JSON.parse('{ "features": 4, "deep": [{ "__proto__": 1 }] }') },
      'problem.options',
      /have the key __proto__/,
    ],
    ['a data set besides', { dataset: 'mnist' }, 'problem.dataset', /cannot be set with a module/],
    ['more examples than there are', { batchSize: 41 }, 'problem.batch_size', /more than the 40 examples/],
    [
      'a module that is not there',
      { module: 'none' },
      'problem.module',
      /unknown module "none"; one of fails, other/,
    ],
    ['a module that is torn', { module: 'torn' }, 'problem.module', /torn\.ts, line 3/],
  ])('refuses %s', async (_what, change, field, message) => {
    const { problem, ...study } = ridge();
    const wrong = Study.fromPartial({ ...study, problem: { ...problem, ...change } });
    const error = await rejection<ServiceError>(channel.unary(Api.validateStudy, { study: wrong }));
    expect(error.code, error.details).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toContain(`study.${field}`);
    expect(error.details).toMatch(message);
  });
});

describe('a trial of a module whose process is killed', () => {
  const OUTER_STEPS = 20;
  /** After which outer steps. */
  const KILLS = [2, 8];

  const create = async () => {
    const study = Study.fromPartial({
      ...ridge(),
      problem: { ...ridge().problem, batchSize: 8, optimizer: 'adam' },
      training: { steps: OUTER_STEPS * STEPS },
      method: { estimator: Estimator.MEAN, window: STEPS, sigma: 10 },
    });
    return `${(await channel.unary(Api.createStudy, { study, requestId: '' })).name}/trials/0`;
  };
  const reached = async (name: string, outerSteps: number): Promise<Trial> => {
    for (;;) {
      const trial = await channel.unary(Api.getTrial, { name });
      if (trial.outerStepsDone >= outerSteps) return trial;
      const isOver = trial.state === TrialState.FAILED || trial.state === TrialState.INFEASIBLE;
      expect({ isOver, why: isOver && trial.stateReason }).toEqual({ isOver: false, why: false });
      await sleep(5);
    }
  };
  /** All there is to its outer steps, but for names and times. */
  const trajectoryOf = async (parent: string) => {
    const request = { parent, pageSize: OUTER_STEPS, pageToken: '', includeWindows: true };
    const { outerSteps } = await channel.unary(Api.listOuterSteps, request);
    return outerSteps.map(({ name: _name, timing: _timing, ...rest }) => rest);
  };

  it('goes on as if nothing had been, bit for bit', async () => {
    const undisturbed = await create();
    await reached(undisturbed, OUTER_STEPS);
    const killed = await create();
    for (const outerSteps of KILLS) {
      await reached(killed, outerSteps);
      for (const { pid } of trainingProcesses(trainer.pid)) process.kill(pid, 'SIGKILL');
    }
    await vi.waitUntil(async () => (await reached(killed, OUTER_STEPS)).state === TrialState.SUCCEEDED, {
      timeout: 120_000,
    });
    const [one, other] = [await reached(undisturbed, OUTER_STEPS), await reached(killed, OUTER_STEPS)];
    expect(other.attempts).toBeGreaterThan(1);
    expect(await trajectoryOf(killed)).toEqual(await trajectoryOf(undisturbed));
    expect(other.test).toEqual(one.test);
  }, 240_000);
});

describe('a module that fails while it trains', () => {
  it('ends its trial FAILED with file and line, and nothing else', async () => {
    const study = Study.fromPartial({
      ...requested({ module: 'fails', batchSize: 4 }),
      space: {
        parameters: [{ name: 'lr', kind: { $case: 'float', value: { min: 0.001, max: 1, initial: 0.1 } } }],
      },
    });
    const { trial } = await ended(study);
    expect(trial.state).toBe(TrialState.FAILED);
    expect(trial.stateReason).toBe('fails.mjs, line 12: no more');
    expect(trial.attempts).toBe(1);
  });
});

describe('a module that computes for ever', () => {
  it('does not outlive a server that is killed, neither where it is loaded nor where it trains', async () => {
    await using folder = await temporaryFolder();
    const endless = (where: string) => `
      import { writeFileSync } from 'node:fs';
      if (process.argv[1].endsWith('${where}')) {
        writeFileSync(new URL(import.meta.url + '.begun'), '');
        for (;;);
      }
    `;
    writeFileSync(join(folder.path, 'loading.mjs'), endless('describe-main.ts'));
    writeFileSync(join(folder.path, 'training.mjs'), SMALL + endless('worker/main.ts'));
    await using own = await TestTrainer.start({ args: ['--problem-dir', folder.path] });
    using to = new Channel(own.address);
    const study = Study.fromPartial({
      ...requested({ module: 'training', batchSize: 4 }),
      space: { parameters: [{ name: 'lr', kind: { $case: 'fixed', value: { value: LR } } }] },
      method: { estimator: Estimator.FIXED, window: STEPS },
    });
    await to.unary(Api.createStudy, { study, requestId: '' });
    await vi.waitFor(
      () => {
        for (const id of ['loading', 'training'])
          expect(readdirSync(folder.path)).toContain(`${id}.mjs.begun`);
      },
      { timeout: 30_000 },
    );
    const started = descendants(own.pid);
    await own.kill();
    await expectGone(started);
  });
});
