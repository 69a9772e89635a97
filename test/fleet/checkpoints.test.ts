/** A fleet with nothing but a database: a trial goes on on another machine from the checkpoint that is there. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { OuterStep, Study } from '@glocal/sdk';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { withoutSettings } from '../support/environment.ts';
import { TestPostgres } from '../support/postgres.ts';
import { trainingProcesses, untilGone } from '../support/processes.ts';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';
import { catFiles } from '../support/upload.ts';

const MAIN = fileURLToPath(import.meta.resolve('@glocal/trainer/main'));
const LEASE = ['--lease-seconds', '3'];

const cleanUp = new AsyncDisposableStack();
let postgres: TestPostgres;
let store: string;
let server: TestTrainer;
beforeAll(async () => {
  postgres = cleanUp.use(await TestPostgres.start());
  store = await postgres.newDatabase();
  const args = ['--role', 'server', '--store-dir', await newMachine(), ...LEASE];
  server = cleanUp.use(await TestTrainer.start({ store, args }));
});
afterAll(() => cleanUp.disposeAsync());

/** A folder that nobody else has. */
const newMachine = async () => cleanUp.use(await temporaryFolder()).path;

interface Worker {
  readonly pid: number;
  /** Of its own machine. */
  readonly folder: string;
  readonly log: readonly string[];
  kill(): Promise<void>;
}

/** Resolves once it works. */
async function startWorker(name: string): Promise<Worker> {
  const folder = await newMachine();
  const log: string[] = [];
  const args = ['--role', 'worker', '--worker-name', name, '--store', store, '--store-dir', folder, ...LEASE];
  const worker = execa(process.execPath, [MAIN, ...args, '--exit-with-stdin'], {
    env: withoutSettings(),
    stdin: 'pipe',
    buffer: false,
    reject: false,
  });
  createInterface({ input: worker.stderr }).on('line', (line) => log.push(line));
  const kill = async () => {
    worker.kill('SIGKILL');
    await worker;
  };
  cleanUp.defer(kill);
  for await (const line of createInterface({ input: worker.stdout })) if (line.includes('works as')) break;
  return { pid: worker.pid ?? 0, folder, log, kill };
}

const objects = async () =>
  (await postgres.run('SELECT key FROM glocal.objects ORDER BY key', store)).map(({ key }) => String(key));

const trains = ({ pid }: Worker) => trainingProcesses(pid).length > 0;

/** All there is to an outer step, but for names and times. */
const trajectoryOf = async (study: Study<QuickSpace>) =>
  (await Array.fromAsync(study.outerSteps({ includeWindows: true }))).map(
    ({ name: _name, trial: _trial, timing: _timing, report, ...rest }: OuterStep<QuickSpace>) => ({
      ...rest,
      report: report && { ...report, computeTime: 0 },
    }),
  );

it('a worker that is killed is followed by one that has never seen its disk, bit for bit', {
  timeout: 240_000,
}, async () => {
  const workers = await Promise.all(['one', 'two'].map(startWorker));
  const spec = quickStudy({ estimator: 'mean', outerSteps: 12 });
  const undisturbed = await server.client.studies.create(spec);
  await undisturbed.result();
  await expect.poll(objects).toEqual([]);

  const study = await server.client.studies.create(spec);
  await vi.waitUntil(async () => (await study.trial()).outerStepsDone >= 3, { timeout: 60_000, interval: 5 });
  const first = workers.find(trains) as Worker;
  const processes = trainingProcesses(first.pid);
  await first.kill();
  await untilGone(processes);
  const { outerStepsDone } = await study.trial();
  expect(outerStepsDone).toBeLessThan(12);
  const left = await objects();
  const id = study.name.split('/')[1];
  // That of the last outer step that is stored was there before it.
  expect(left).toContain(`checkpoints/${id}/0/${outerStepsDone}.1.ckpt`);

  expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
  const trial = await study.trial();
  expect(trial).toMatchObject({ attempts: 2, crashes: 0 });
  expect(trial.stateReason).not.toContain('trained again');
  expect(await trajectoryOf(study)).toEqual(await trajectoryOf(undisturbed));
  const second = workers.find((worker) => worker !== first) as Worker;
  expect(second.log.filter((line) => line.includes('goes on otherwise'))).toEqual([]);
  for (const { folder } of workers) expect(readdirSync(folder)).toEqual([]);
  await expect.poll(objects).toEqual([]);
});

it('what is uploaded to a server is trained on by workers elsewhere', { timeout: 120_000 }, async () => {
  const worker = await startWorker('three');
  const files = Object.entries(catFiles()).map(([path, content]) => ({ path, content }));
  const artifact = await server.client.artifacts.upload(files);
  const id = artifact.name.split('/')[1] ?? '';
  expect(await objects()).toEqual(artifact.files.map(({ sha256 }) => `artifacts/${id}/${sha256}`).sort());
  const study = await server.client.studies.create({
    ...quickStudy({ estimator: 'mean', seeds: [1, 2, 3, 4] }),
    problem: {
      ...{ dataset: artifact.name, model: 'logistic', optimizer: 'sgd' },
      ...{ batchSize: 1, validationExamples: 1 },
    },
  });
  expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
  expect(existsSync(join(worker.folder, 'studies.artifacts', id))).toBe(true);
  await server.client.artifacts.delete(artifact.name);
  await expect.poll(objects).toEqual([]);
});
