/** Benchmarks of whole trials: LeNet on real images, through the SDK, both services and the store. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Estimator, float, GlocalClient, type OuterStep, space } from '@glocal/sdk';
import { spawnTrainer } from '@glocal/trainer/spawn.ts';
import type { Row } from './engine.ts';
import { median } from './statistics.ts';

const WINDOW = 50;
const WINDOWS = 4;
const ROUNDS = 2;
const VALIDATION = 1_000;

/** Time of a window with GLOCAL over one with LOCAL, and the part of it spent waiting for the DMD service. */
export async function endToEndRows(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'glocal-bench-'));
  const trainer = await spawnTrainer({
    args: ['--store', join(folder, 'studies.db'), '--log-level', 'warn'],
  });
  try {
    await using client = await GlocalClient.connect({ address: trainer.address });
    const windows: Record<'local' | 'glocal', OuterStep[]> = { local: [], glocal: [] };
    for (let round = 0; round < ROUNDS; round++) {
      // In turns, so that a busy machine slows both.
      for (const estimator of ['local', 'glocal'] as const)
        windows[estimator].push(...(await train(client, estimator)));
    }
    const glocal = median(windows.glocal.map(duration));
    const waited = windows.glocal.map((step) => step.timing.dmd / duration(step));
    return [
      {
        name: 'e2e.lenet.glocal_over_local',
        value: glocal / median(windows.local.map(duration)),
        unit: 'ratio',
        n: windows.glocal.length,
      },
      { name: 'e2e.dmd_share', value: median(waited), unit: 'share', n: waited.length },
    ];
  } finally {
    await trainer.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The windows of a short trial, without the first: the backend warms up in it. */
async function train(client: GlocalClient, estimator: Estimator): Promise<OuterStep[]> {
  const study = await client.studies.create({
    displayName: `benchmark, ${estimator}`,
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
    training: { steps: (WINDOWS + 1) * WINDOW, seeds: [0] },
    method: {
      estimator,
      window: WINDOW,
      sigma: 20,
      evaluation: 'last_iterate',
      dmd: { variant: 'hankel', delays: 10 },
    },
  });
  const { state, stateReason } = await study.result();
  if (state !== 'COMPLETED') throw new Error(`the benchmark's study ended as ${state}: ${stateReason}`);
  const steps = await Array.fromAsync(study.outerSteps());
  return steps.slice(1);
}

const duration = ({ timing }: OuterStep): number =>
  timing.training + timing.hypergradients + timing.dmd + timing.other;
