/** A worker that trains one trial, and says with its exit code what has become of it. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { RoleFleet } from '../support/role-fleet.ts';
import { longStudy, quickStudy, training } from '../support/studies.ts';

let fleet: RoleFleet;
beforeAll(async () => {
  fleet = await RoleFleet.start({ workers: 0, args: ['--backend', 'wasm'] });
});
afterAll(() => fleet[Symbol.asyncDispose]());

async function once(...args: string[]) {
  const worker = fleet.another();
  await worker.start({ args: ['--once', ...args] });
  return worker;
}

it('ends with 10 when nothing waits', async () => {
  expect(await (await once()).ended).toBe(10);
});

it('ends with 0 when nothing waits, and it was told that this is well', async () => {
  expect(await (await once('--once-no-work-ok')).ended).toBe(0);
});

it('ends with 69 when the database does not let it look, which is not that nothing waits', async () => {
  const [row = {}] = await fleet.postgres.run('SELECT current_database() AS name', fleet.url);
  const makeReadOnly = (how: string) =>
    fleet.postgres.run(`ALTER DATABASE ${row.name} SET default_transaction_read_only = ${how}`);
  await makeReadOnly('on');
  try {
    const worker = await once('--once-no-work-ok');
    expect(await worker.ended).toBe(69);
    expect(worker.log.at(-1)).toMatch(/^glocal-trainer: the database at .* refuses: it is read-only/);
  } finally {
    await makeReadOnly('off');
  }
});

it('ends with 0 when the trial has ended, and leaves the others', async () => {
  const study = await fleet.client.studies.create(
    quickStudy({ estimator: 'fixed', outerSteps: 1, seeds: [1, 2] }),
  );
  expect(await (await once()).ended).toBe(0);
  const states = (await Array.fromAsync(study.trials())).map(({ state }) => state);
  expect(states).toEqual(['SUCCEEDED', 'PENDING']);
  await study.cancel();
});

it('ends with 11 when it is told to stop, with its trial handed back at a boundary', async () => {
  const study = await fleet.client.studies.create(longStudy({ estimator: 'fixed' }));
  const worker = await once('--drain-seconds', '60');
  await training(study);
  worker.signal('SIGTERM');
  expect(await worker.ended).toBe(11);
  const trial = await study.trial();
  expect(trial.state).toBe('PENDING');
  expect(trial.stateReason).toBe(`the worker stopped; it goes on after outer step ${trial.outerStepsDone}`);
  await study.cancel();
});

it('ends with 12 when the trial has failed for good', async () => {
  const study = await fleet.client.studies.create(longStudy({ estimator: 'fixed' }));
  expect(await (await once('--max-trial-memory-bytes', '1MiB')).ended).toBe(12);
  expect((await study.refresh()).state).toBe('FAILED');
});
