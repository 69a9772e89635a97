/** Benchmarks of whole trials: LeNet on real images, through the SDK, both services and the store. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { float, GlocalClient, type Method, type OuterStep, type Study, space } from '@glocal/sdk';
import { spawnTrainer } from '@glocal/trainer';
import type { Row } from './row.ts';
import { median } from './statistics.ts';

const WINDOW = 50;
/** Measured windows of each trial; one more comes before them, in which the backend warms up. */
const WINDOWS = 3;
const ROUNDS = 2;
const VALIDATION = 1_000;

const shared = { window: WINDOW, evaluation: 'last_iterate' } as const;
const glocal = { ...shared, estimator: 'glocal', sigma: 20, dmd: { variant: 'hankel', delays: 10 } } as const;

/** What is timed, one trial each, in turns. */
const METHODS = {
  fixed: { ...shared, estimator: 'fixed' },
  local: { ...shared, estimator: 'local' },
  glocal,
  stride3: { ...glocal, sigma: 7, stride: 3, dmd: { variant: 'affine' } },
  averaged: { ...glocal, evaluation: 'averaged' },
} satisfies Record<string, Method>;
type Name = keyof typeof METHODS;

/** Inner steps of the trial with the default settings, which a shorter one would cost more with. */
const DEFAULT_STEPS = 4_000;
/** Inner steps of the trials whose cost was asked for: fewer than a real one has, in the same proportions. */
const COST_STEPS = 1_200;
/** Wished costs in plain runs. */
const WISHES = [1.15, 1.5, 2];

/** All rows of this file. */
export async function endToEndRows(): Promise<Row[]> {
  return [...(await windowRows()), ...(await costRows())];
}

/** Time of a window in one trial over that in another, and the part of it spent waiting for the DMD service. */
async function windowRows(): Promise<Row[]> {
  const windows = await withClient(trainAll);
  const ratio = (name: string, of: Name, over: Name): Row => ({
    name: `e2e.lenet.${name}`,
    value: median(windows[of].map(duration)) / median(windows[over].map(duration)),
    unit: 'ratio',
    n: windows[of].length,
  });
  const waited = windows.glocal.map((step) => step.timing.dmd / duration(step));
  return [
    ratio('glocal_over_local', 'glocal', 'local'),
    ratio('glocal_over_local_stride3', 'stride3', 'local'),
    ratio('averaged_over_last_iterate', 'averaged', 'glocal'),
    ratio('local_over_fixed', 'local', 'fixed'),
    { name: 'e2e.dmd_share', value: median(waited), unit: 'share', n: waited.length },
  ];
}

/**
 * `e2e.lenet.tuned_over_plain`: the cost in plain runs of a trial with the default settings, as it measured it by itself;
 * `e2e.lenet.overhead_error`: the measured cost over the wished one, of the wish that is farthest from 1.
 */
export async function costRows(): Promise<Row[]> {
  return withClient(async (client) => {
    const steps = COST_STEPS;
    const tuned = await costOf(client, { estimator: 'glocal' }, DEFAULT_STEPS);
    const errors: number[] = [];
    for (const overhead of WISHES) {
      errors.push((await costOf(client, { estimator: 'glocal', overhead }, steps)) / overhead);
    }
    const worst = errors.toSorted((a, b) => Math.abs(Math.log(b)) - Math.abs(Math.log(a)))[0] ?? Number.NaN;
    return [
      { name: 'e2e.lenet.tuned_over_plain', value: tuned, unit: 'ratio', n: 1 },
      { name: 'e2e.lenet.overhead_error', value: worst, unit: 'ratio', n: WISHES.length },
    ];
  });
}

async function costOf(client: GlocalClient, method: Method, steps: number): Promise<number> {
  const study = await create(client, `cost ${method.overhead ?? 'by default'}`, method, steps);
  const { best } = await finished(study);
  return best?.cost ?? Number.NaN;
}

async function withClient<T>(work: (client: GlocalClient) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'glocal-bench-'));
  const trainer = await spawnTrainer({
    args: ['--store', join(folder, 'studies.db'), '--log-level', 'warn'],
  });
  try {
    await using client = await GlocalClient.connect({ address: trainer.address });
    return await work(client);
  } finally {
    await trainer.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function trainAll(client: GlocalClient): Promise<Record<Name, OuterStep[]>> {
  const windows: Record<Name, OuterStep[]> = { fixed: [], local: [], glocal: [], stride3: [], averaged: [] };
  for (let round = 0; round < ROUNDS; round++) {
    // In turns, so that a busy machine slows all of them.
    for (const name of Object.keys(METHODS) as Name[]) {
      windows[name].push(...(await train(client, name)));
    }
  }
  return windows;
}

/** The windows of a short trial, without the first. */
async function train(client: GlocalClient, name: Name): Promise<OuterStep[]> {
  const study = await create(client, name, METHODS[name], (WINDOWS + 1) * WINDOW);
  await finished(study);
  const steps = await Array.fromAsync(study.outerSteps());
  return steps.slice(1);
}

/** A study of LeNet with three hyperparameters. */
const create = (client: GlocalClient, name: string, method: Method, steps: number): Promise<Study> =>
  client.studies.create({
    displayName: `benchmark, ${name}`,
    space: space({
      lr: float({ min: 1e-4, max: 1, init: 0.05, scale: 'log' }),
      momentum: float({ min: 0, max: 1, init: 0.1 }),
      weightDecay: float({ min: 0, max: 1, init: 1e-3 }),
    }),
    problem: {
      dataset: 'fashion-mnist-10k',
      model: 'lenet',
      optimizer: 'sgd',
      batchSize: 128,
      validationExamples: VALIDATION,
    },
    training: { steps, seeds: [0] },
    method,
  });

async function finished(study: Study) {
  const result = await study.result();
  const { state, stateReason } = result;
  if (state !== 'COMPLETED') throw new Error(`the benchmark's study ended as ${state}: ${stateReason}`);
  return result;
}

const duration = ({ timing }: OuterStep): number =>
  timing.training + timing.hypergradients + timing.dmd + timing.other;
