/** What docs/operations.md says of backups, done with the programs that it names: studies go on from them, bit for bit. */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Study } from '@glocal/sdk';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { trainingProcesses, untilGone } from '../support/processes.ts';
import { RoleFleet } from '../support/role-fleet.ts';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';
import { trajectoryOf } from '../support/trajectory.ts';

const OUTER_STEPS = 12;
const spec = quickStudy({ outerSteps: OUTER_STEPS, seeds: [1, 2] });
const args = ['--backend', 'wasm'];

const clientPrograms = [
  ...(process.env.PATH ?? '').split(delimiter),
  ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
].find((folder) => existsSync(join(folder, 'pg_dump')) && existsSync(join(folder, 'pg_restore')));

vi.setConfig({ testTimeout: 900_000 });

/** The outer steps of each trial with their windows, by its seed. */
async function trajectories(study: Study<QuickSpace>): Promise<Record<number, unknown>> {
  const found: Record<number, unknown> = {};
  for await (const { name, seed, test } of study.trials()) {
    const outerSteps = await Array.fromAsync(study.outerSteps({ trial: name, includeWindows: true }));
    found[seed] = { test, steps: trajectoryOf(outerSteps) };
  }
  return found;
}

const stored = async (study: Study<QuickSpace>): Promise<number> =>
  (await Array.fromAsync(study.trials())).reduce((sum, { outerStepsDone }) => sum + outerStepsDone, 0);

/** One that has been trained without a disturbance, and one that is in the midst of it. */
async function studies(client: TestTrainer['client']) {
  const undisturbed = await client.studies.create(spec);
  await undisturbed.result();
  const study = await client.studies.create(spec);
  await vi.waitUntil(async () => (await stored(study)) >= 3, { timeout: 300_000, interval: 20 });
  return { undisturbed, study };
}

/** A command of the page, with other words for some of its words. */
async function runAsDocumented(program: string, words: Readonly<Record<string, string>>): Promise<void> {
  const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
  const [line = ''] = page.match(new RegExp(`^${program} [^#\\n]*`, 'm')) ?? [];
  const [name = '', ...args] = line.trim().split(/ +/);
  await execa(
    join(clientPrograms ?? '', name),
    args.map((word) => words[word] ?? word),
  );
}

describe.skipIf(clientPrograms === undefined)('PostgreSQL', () => {
  it.each([
    ['with checkpoints in it', false],
    ['and, after it, the folder of checkpoints, which has gone on meanwhile', true],
  ])(
    'a dump of a fleet at work %s is restored into an empty database, and studies go on',
    async (_, elsewhere) => {
      await using folder = await temporaryFolder();
      const [before, after] = ['before', 'after'].map((name) => join(folder.path, name)) as [string, string];
      const objects = (path: string) => [...args, ...(elsewhere ? ['--objects', path] : [])];
      await using first = await RoleFleet.start({ workers: 1, args: objects(before) });
      const { undisturbed, study } = await studies(first.client);
      const dump = join(folder.path, 'glocal.dump');
      await runAsDocumented('pg_dump', { 'glocal.dump': dump, 'postgres://glocal@db/glocal': first.url });
      if (elsewhere) await cp(before, after, { recursive: true });
      // Afterwards it goes on, which the backup does not know of.
      const then = await stored(study);
      await vi.waitUntil(async () => (await stored(study)) > then, { timeout: 300_000, interval: 20 });
      await first.kill();

      await using second = await RoleFleet.start({
        workers: 2,
        args: objects(after),
        database: async (postgres) => {
          const url = await postgres.newDatabase();
          await runAsDocumented('pg_restore', { 'glocal.dump': dump, 'postgres://glocal@db/empty': url });
          return url;
        },
      });
      const resumed = await second.client.studies.get<QuickSpace>(study.name);
      expect(await stored(resumed)).toBeLessThan(2 * OUTER_STEPS);
      expect(await resumed.result()).toMatchObject({ state: 'COMPLETED' });
      const expected = await trajectories(await second.client.studies.get<QuickSpace>(undisturbed.name));
      expect(await trajectories(resumed)).toEqual(expected);
      expect(Object.keys(expected)).toHaveLength(2);
    },
  );
});

describe('SQLite', () => {
  it('a copy of the file and of its folders, taken while the trainer is stopped, goes on elsewhere', async () => {
    await using folder = await temporaryFolder();
    const [here, there] = ['here', 'there'].map((name) => join(folder.path, name)) as [string, string];
    let name: string;
    let expected: unknown;
    {
      await using trainer = await TestTrainer.start({ store: join(here, 'studies.db'), args });
      const { undisturbed, study } = await studies(trainer.client);
      expected = await trajectories(undisturbed);
      name = study.name;
      const processes = trainingProcesses(trainer.pid);
      await trainer.server.stop();
      await untilGone(processes);
    }
    await cp(here, there, { recursive: true });
    await using trainer = await TestTrainer.start({ store: join(there, 'studies.db'), args });
    const resumed = await trainer.client.studies.get<QuickSpace>(name);
    expect(await resumed.result()).toMatchObject({ state: 'COMPLETED' });
    expect(await trajectories(resumed)).toEqual(expected);
  });

  it('a snapshot of the volume while it is at work is one, too', async () => {
    await using folder = await temporaryFolder();
    const [here, there] = ['here', 'there'].map((name) => join(folder.path, name)) as [string, string];
    await using trainer = await TestTrainer.start({ store: join(here, 'studies.db'), args });
    const { undisturbed, study } = await studies(trainer.client);
    const expected = await trajectories(undisturbed);
    // All at one moment, as a volume's snapshot is: nobody writes meanwhile.
    const everybody = [trainer.pid, ...trainingProcesses(trainer.pid).map(({ pid }) => pid)];
    for (const pid of everybody) process.kill(pid, 'SIGSTOP');
    await cp(here, there, { recursive: true });
    for (const pid of everybody) process.kill(pid, 'SIGCONT');
    await using another = await TestTrainer.start({ store: join(there, 'studies.db'), args });
    const resumed = await another.client.studies.get<QuickSpace>(study.name);
    expect(await resumed.result()).toMatchObject({ state: 'COMPLETED' });
    expect(await trajectories(resumed)).toEqual(expected);
  });
});
