/** How soon a study is seen to run, and what it costs to decide about each window from outside. */

import { float, type GlocalClient, type OuterStep, space } from '@glocal/sdk';
import { TestTrainer } from '../../support/trainer.ts';
import { type Row, timeRow } from '../row.ts';
import { median } from '../statistics.ts';

const STUDIES = 10;
/** The first of these is not measured: the backend warms up in it. */
const WINDOWS = 6;
const WINDOW = 50;

const lenet = (steps: number) => ({
  space: space({ lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }) }),
  problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd' },
  training: { steps },
  method: { estimator: 'glocal', window: WINDOW, sigma: 20, dmd: { variant: 'hankel', delays: 10 } } as const,
});

export async function studyRows(): Promise<Row[]> {
  await using trainer = await TestTrainer.start();
  return [await firstEventRow(trainer.client), await driveRow(trainer.client)];
}

/** `sdk.first_event_ms`: from the call of `create` to the first event of its watch, of studies that begin at once. */
async function firstEventRow(client: GlocalClient): Promise<Row> {
  const times: number[] = [];
  for (let i = 0; i < STUDIES; i++) {
    const before = performance.now();
    const study = await client.studies.create(lenet(WINDOW));
    for await (const _event of study.watch()) {
      times.push(performance.now() - before);
      break;
    }
    await study.cancel();
  }
  return timeRow('sdk.first_event_ms', times);
}

/** `sdk.drive_overhead`: the share of a window's time that it waits for a client that accepts at once. */
async function driveRow(client: GlocalClient): Promise<Row> {
  const study = await client.studies.create({ ...lenet(WINDOWS * WINDOW), mode: 'driven' });
  const shares: number[] = [];
  for await (const window of study.drive()) {
    const { timing } = await window.accept();
    shares.push(timing.decision / durationOf(timing));
  }
  const measured = shares.slice(1);
  return { name: 'sdk.drive_overhead', value: median(measured), unit: 'share', n: measured.length };
}

const durationOf = (timing: OuterStep['timing']): number =>
  timing.training + timing.hypergradients + timing.dmd + timing.other + timing.decision;
