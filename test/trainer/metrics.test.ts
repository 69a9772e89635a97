/** Figures for Prometheus, of a real trainer that trains. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { quickStudy } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;
let address: string;
beforeAll(async () => {
  trainer = await TestTrainer.start({ args: ['--metrics-listen', '127.0.0.1:0'] });
  const line = trainer.log.find((text) => text.includes('"metricsAddress"')) ?? '{}';
  address = JSON.parse(line).metricsAddress;
  const study = await trainer.client.studies.create(quickStudy());
  expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
  await rejection(trainer.client.studies.get('studies/nothing'));
});
afterAll(() => trainer?.[Symbol.asyncDispose]());

const scrape = async () => (await fetch(`http://${address}/metrics`)).text();

/** The value of a figure; undefined when there is none. */
async function value(figure: string): Promise<number | undefined> {
  const line = (await scrape()).split('\n').find((text) => text.startsWith(`${figure} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
}

describe('the figures', () => {
  it.each([
    ['glocal_trainer_dmd_up', 1],
    ['glocal_trainer_store_writable', 1],
    ['glocal_trainer_studies{state="COMPLETED"}', 1],
    ['glocal_trainer_trials{state="SUCCEEDED"}', 1],
    ['glocal_trainer_outer_steps_total', 3],
    ['glocal_trainer_fallbacks_total', 0],
    ['glocal_trainer_dmd_wait_seconds_count', 3],
    ['glocal_trainer_training_processes', 0],
    ['glocal_trainer_training_process_exits_total{outcome="SUCCEEDED"}', 1],
    ['glocal_trainer_checkpoint_write_seconds_count', 3],
    ['glocal_trainer_grpc_calls_total{method="glocal.v1.StudyService/CreateStudy",code="OK"}', 1],
    [
      `glocal_trainer_grpc_calls_total{method="glocal.v1.StudyService/GetStudy",code="${status[status.NOT_FOUND]}"}`,
      1,
    ],
  ])('say that %s is %d', async (figure, expected) => {
    await expect.poll(() => value(figure)).toBe(expected);
  });

  it.each([
    'glocal_trainer_inner_steps_total',
    'glocal_trainer_checkpoint_written_bytes_total',
    'glocal_trainer_store_call_seconds_count{call="addOuterStep"}',
    'glocal_trainer_process_resident_memory_bytes',
  ])('have more than nothing of %s', async (figure) => {
    expect(await value(figure)).toBeGreaterThan(0);
  });

  it('are all in docs/operations.md', async () => {
    const document = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
    const ours = (await scrape())
      .split('\n')
      .flatMap((line) => line.match(/^# TYPE (glocal_trainer_\w+)/)?.[1] ?? [])
      .filter((name) => !/^glocal_trainer_(process|nodejs)_/.test(name));
    expect(ours.length).toBeGreaterThan(15);
    expect(ours.filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
    const documented = [...document.matchAll(/`(glocal_trainer_\w+)`/g)].map(([, name]) => name);
    expect(documented.filter((name) => !ours.includes(name ?? ''))).toEqual([]);
  });

  it('are at /metrics and nowhere else', async () => {
    expect((await fetch(`http://${address}/`)).status).toBe(404);
  });
});
