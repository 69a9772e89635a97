/** Code that schedules are written as, in the frameworks that it is for: which values these make their steps with. */

import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CodeOptions, type Framework, Schedule } from '@glocal/sdk';
import * as tf from '@tensorflow/tfjs';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { pythonWith } from '../support/python.ts';

/** Installing the frameworks takes most of it. */
const timeout = 30 * 60_000;
const STEPS = 8;
const POINTS = [
  { step: 0, values: [0.1, 0.9, 0.01] },
  { step: 3, values: [0.2, 0.5, 0.01] },
  { step: 5, values: [0.05, 0.8, 0.02] },
];
const schedule = Schedule.fromJson({ columns: ['lr', 'momentum', 'weightDecay'], points: POINTS });
/** The same, with half of the rate for a second layer. */
const ofLayers = Schedule.fromJson({
  columns: ['lr/conv1', 'lr/dense1', 'momentum', 'weightDecay'],
  points: POINTS.map(({ step, values: [lr = 0, ...others] }) => ({ step, values: [lr, lr / 2, ...others] })),
});

/** Where the generated modules and what uses them are; within the repository, so that its packages are found. */
let folder: string;
beforeAll(async () => {
  const parent = join(import.meta.dirname, '../../.glocal/test');
  await mkdir(parent, { recursive: true });
  folder = await mkdtemp(join(parent, 'schedule-code-'));
  const programs = join(import.meta.dirname, 'schedule-code');
  for (const file of await readdir(programs)) await copyFile(join(programs, file), join(folder, file));
  await writeFile(join(folder, 'steps.py'), `STEPS = ${STEPS}\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a program prints that uses the module. Skipped where there is no Python with the frameworks. */
async function printed(
  { skip }: TestContext,
  framework: Framework,
  { env = {}, program = `use_${framework}.py` }: { env?: NodeJS.ProcessEnv; program?: string } = {},
) {
  const python = await pythonWith(join(folder, 'requirements.txt'));
  if ('missing' in python) {
    console.warn(python.missing);
    return skip(python.missing);
  }
  await writeFile(join(folder, 'glocal_schedule.py'), schedule.toCode(framework));
  if (framework !== 'keras') await writeFile(join(folder, 'glocal_layers.py'), ofLayers.toCode(framework));
  const { stdout } = await execa(join(python.bin, 'python'), [program], {
    cwd: folder,
    env: { JAX_PLATFORMS: 'cpu', CUDA_VISIBLE_DEVICES: '', PYTHONDONTWRITEBYTECODE: '1', ...env },
  });
  return JSON.parse(stdout);
}

interface State {
  readonly w: number;
  readonly velocity: number;
}
type Step = (state: State, values: { lr: number; momentum: number; weightDecay: number }) => State;

/** Glocal's `sgd`, of the gradient w. */
const sgd: Step = ({ w, velocity }, { lr, momentum, weightDecay }) => {
  const next = momentum * velocity + w + weightDecay * w;
  return { w: w - lr * next, velocity: next };
};

/** Keras: the weight decays by itself, and the momentum is of steps. */
const ofKeras: Step = ({ w, velocity }, { lr, momentum, weightDecay }) => {
  const next = momentum * velocity - lr * w;
  return { w: w - lr * weightDecay * w + next, velocity: next };
};

function weightsAlong(step: Step, { decays = true, share = 1 } = {}): number[] {
  let state: State = { w: 1, velocity: 0 };
  return Array.from({ length: STEPS }, (_, t) => {
    const [lr = 0, momentum = 0, weightDecay = 0] = POINTS.findLast((point) => point.step <= t)?.values ?? [];
    state = step(state, { lr: share * lr, momentum, weightDecay: decays ? weightDecay : 0 });
    return state.w;
  });
}

function expectNear(weights: readonly number[], expected: readonly number[]): void {
  expect(weights).toHaveLength(expected.length);
  expected.forEach((weight, step) => {
    expect(Math.abs((weights[step] ?? Number.NaN) - weight), `step ${step}`).toBeLessThan(1e-6);
  });
}

describe('each step is made with the values of the schedule', () => {
  it('in PyTorch', { timeout }, async (context) => {
    expectNear(await printed(context, 'pytorch'), weightsAlong(sgd));
  });

  it('in optax', { timeout }, async (context) => {
    expectNear(await printed(context, 'optax'), weightsAlong(sgd));
  });

  it.for(['torch', 'jax'])('in Keras on %s', { timeout }, async (backend, context) => {
    const { weights, refusal } = await printed(context, 'keras', { env: { KERAS_BACKEND: backend } });
    expectNear(weights, weightsAlong(ofKeras));
    if (backend === 'jax')
      expect(refusal).toMatch(/^momentum, weight_decay would not move: compile the model/);
  });

  it.for(['pytorch', 'optax'] as const)('of its layer, in %s', { timeout }, async (framework, context) => {
    const program = `use_${framework}_layers.py`;
    const { weights, refusal } = await printed(context, framework, { program });
    expectNear(
      weights.map(([first]: number[]) => first),
      weightsAlong(sgd),
    );
    expectNear(
      weights.map(([, second]: number[]) => second),
      weightsAlong(sgd, { share: 0.5 }),
    );
    if (framework === 'pytorch')
      expect(refusal).toBe("the schedule has no lr for '0', only for conv1, dense1");
  });

  const withoutDecay: CodeOptions = { parameters: ['lr', 'momentum'] };

  it('in tfjs', async () => {
    await tf.setBackend('cpu');
    const module = join(folder, 'glocal-schedule.js');
    await writeFile(module, schedule.toCode('tfjs', withoutDecay));
    const { glocalSchedule } = await import(module);
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 1, useBias: false, kernelInitializer: 'ones', inputShape: [1] })],
    });
    const optimizer = tf.train.momentum(1, 0);
    model.compile({ optimizer, loss: (y, out) => tf.mean(tf.div(tf.square(tf.sub(out, y)), 2)) });
    const weights: number[] = [];
    await model.fit(tf.ones([STEPS, 1]), tf.zeros([STEPS, 1]), {
      ...{ batchSize: 1, shuffle: false, verbose: 0 },
      callbacks: [
        glocalSchedule(optimizer),
        {
          onBatchEnd: async () => {
            weights.push(model.getWeights()[0]?.dataSync()[0] ?? Number.NaN);
          },
        },
      ],
    });
    expectNear(weights, weightsAlong(sgd, { decays: false }));
  });
});
