/** What `glocal export` writes, read back with the packages that it is for. */

import { join } from 'node:path';
import type { OuterStep, Study } from '@glocal/sdk';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { glocalAt } from '../support/glocal.ts';
import { deadAddress } from '../support/ports.ts';
import { type Python, pythonWith } from '../support/python.ts';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const python: Python = await pythonWith(join(import.meta.dirname, 'requirements.txt'));
if ('missing' in python) console.warn(`skipped: ${python.missing}`);

const cleanUp = new AsyncDisposableStack();
let trainer: TestTrainer;
let study: Study<QuickSpace>;
let steps: readonly OuterStep<QuickSpace>[];
let folder: string;

beforeAll(async () => {
  if ('missing' in python) return;
  folder = cleanUp.use(await temporaryFolder()).path;
  trainer = cleanUp.use(await TestTrainer.start());
  study = await trainer.client.studies.create(quickStudy());
  await study.result({ schedules: false });
  steps = await Array.fromAsync(study.outerSteps());
}, 300_000);
afterAll(() => cleanUp.disposeAsync());

async function readBack(...args: string[]): Promise<unknown> {
  if ('missing' in python) throw new Error(python.missing);
  const script = join(import.meta.dirname, 'read_back.py');
  const { stdout } = await execa(join(python.bin, 'python'), [script, ...args]);
  return JSON.parse(stdout.slice(stdout.search(/[[{]/)));
}

const course = (of: (step: OuterStep<QuickSpace>) => number) =>
  steps.map((step) => [step.step, of(step)] as const);

describe.skipIf('missing' in python)('glocal export', () => {
  it('gives TensorBoard the figures of each outer step, and what was asked for', async () => {
    const { stdout, exitCode } = await glocalAt(trainer.address)(
      ...['export', 'tensorboard', folder, study.name, '--json'],
    );
    expect(exitCode).toBe(0);
    const { runs } = JSON.parse(stdout) as { runs: { to: string }[] };
    const read = (await readBack('tensorboard', runs[0]?.to ?? '')) as {
      scalars: Record<string, [number, number][]>;
      text: string;
    };
    const expected = {
      'validation/averaged_loss': course((step) => step.averagedValidation.loss),
      'hyperparameter/lr': course((step) => step.values.lr),
      'train/loss': course((step) => step.trainLoss),
    };
    for (const [tag, points] of Object.entries(expected)) {
      expect(read.scalars[tag]?.map(([step]) => step)).toEqual(points.map(([step]) => step));
      // It keeps binary32.
      read.scalars[tag]?.forEach(([, value], i) => {
        expect(value).toBe(Math.fround(points[i]?.[1] ?? Number.NaN));
      });
    }
    expect(read.text).toContain('| problem.model | mlp |');
  }, 120_000);

  it('gives MLflow runs, which exporting again replaces', async () => {
    if ('missing' in python) return;
    const address = await deadAddress();
    const [host = '', port = ''] = address.split(':');
    const store = `sqlite:///${join(folder, 'mlflow.db')}`;
    const server = execa(
      join(python.bin, 'mlflow'),
      ['server', '--host', host, '--port', port, '--backend-store-uri', store, '--workers', '1'],
      { cwd: folder, reject: false, env: { PATH: `${python.bin}:${process.env.PATH}` }, cleanup: true },
    );
    try {
      const uri = `http://${address}`;
      await expect
        .poll(
          () =>
            fetch(`${uri}/health`).then(
              ({ ok }) => ok,
              () => false,
            ),
          {
            timeout: 240_000,
            interval: 1_000,
          },
        )
        .toBe(true);
      for (let time = 0; time < 2; time++) {
        const { exitCode, stderr } = await glocalAt(trainer.address)(
          ...['export', 'mlflow', uri, study.name, '--experiment', 'from glocal'],
        );
        expect(stderr).toBe('');
        expect(exitCode).toBe(0);
      }
      const runs = (await readBack('mlflow', uri, 'from glocal')) as {
        status: string;
        params: Record<string, string>;
        tags: Record<string, string>;
        metrics: Record<string, [number, number][]>;
      }[];
      expect(runs).toHaveLength(1);
      expect(runs[0]).toMatchObject({ status: 'FINISHED', params: { 'problem.model': 'mlp', seed: '1' } });
      expect(runs[0]?.tags['glocal.trial']).toMatch(new RegExp(`^${study.name}/trials/`));
      expect(runs[0]?.metrics['validation/averaged_loss']).toEqual(
        course((step) => step.averagedValidation.loss),
      );
      expect(runs[0]?.metrics['hyperparameter/momentum']).toEqual(course((step) => step.values.momentum));
    } finally {
      server.kill('SIGTERM');
      await server;
    }
  }, 600_000);

  it('says what to do when there is no tracking server', async () => {
    const address = await deadAddress();
    const { exitCode, stderr } = await glocalAt(trainer.address)(
      ...['export', 'mlflow', `http://${address}`, study.name],
    );
    expect(exitCode).toBe(69);
    expect(stderr).toContain('cannot be reached');
    const wrong = await glocalAt(trainer.address)('export', 'mlflow', 'here', study.name);
    expect(wrong.exitCode).toBe(65);
  });
});
