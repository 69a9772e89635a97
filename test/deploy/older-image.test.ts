/** A rollout, seen from the older image: it goes on beside the newer one, and does not start again once that has had the database. */

import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { RoleFleet } from '../support/role-fleet.ts';
import { quickStudy } from '../support/studies.ts';

vi.setConfig({ testTimeout: 240_000 });

let fleet: RoleFleet;
beforeAll(async () => {
  fleet = await RoleFleet.start({ args: ['--backend', 'wasm'] });
  // As a step of a newer version does: those that there are only add.
  const step = 'ALTER TABLE glocal.outer_steps ADD COLUMN later bigint NOT NULL DEFAULT 0';
  await fleet.postgres.run(`${step}; UPDATE glocal.schema_version SET version = version + 1`, fleet.url);
});
afterAll(() => fleet[Symbol.asyncDispose]());

it('a server and a worker that run go on', async () => {
  const study = await fleet.client.studies.create(quickStudy());
  expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
});

it('one that is started again ends with what to do', async () => {
  await expect(fleet.another().start()).rejects.toThrow(
    /ended with 69: .*was written by a newer version \(schema \d+, this one reads \d+\); upgrade the trainer/,
  );
});
