/** The command line with a server, through the life of studies. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Study } from '@glocal/sdk';
import { execa } from 'execa';
import { SaxesParser } from 'saxes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentOfGlocal, GLOCAL, glocalAt } from '../support/glocal.ts';
import { longStudy, type QuickSpace, quickStudy, training } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const STUDY = `
displayName: from a file
labels: { team: vision }
problem: { dataset: fashion-mnist-10k, model: mlp, optimizer: sgd, batchSize: 32, validationExamples: 100 }
space:
  lr: { min: 0.001, max: 1, init: 0.02, scale: log }
  momentum: { min: 0, max: 0.95, init: 0.1 }
training: { steps: 60, seeds: [0, 1] }
method: { estimator: glocal, window: 20, sigma: 10, dmd: { delays: 3 } }
`;

const cleanUp = new AsyncDisposableStack();
let trainer: TestTrainer;
let run: ReturnType<typeof glocalAt>;
let folder: string;
/** Created from a file and watched to its end; the other tests look at it. */
let watched: Awaited<ReturnType<ReturnType<typeof glocalAt>>>;
let name: string;
/** One with a single trial. */
let other: Study<QuickSpace>;

beforeAll(async () => {
  folder = cleanUp.use(await temporaryFolder()).path;
  trainer = cleanUp.use(await TestTrainer.start());
  run = glocalAt(trainer.address);
  await writeFile(join(folder, 'study.yaml'), STUDY);
  watched = await run('study', 'create', '-f', join(folder, 'study.yaml'), '--watch');
  name = watched.stderr.match(/^studies\/\S+$/m)?.[0] ?? '';
  other = await trainer.client.studies.create(quickStudy({ outerSteps: 2 }));
  await other.result();
}, 300_000);
afterAll(() => cleanUp.disposeAsync());

/** What a command has printed for programs. */
async function document(...args: string[]) {
  const { stdout, stderr, exitCode } = await run(...args, '--json');
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe('a study of a file', () => {
  it('is watched to its end in plain lines where there is no terminal', () => {
    expect(watched.exitCode, watched.stderr).toBe(0);
    const lines = watched.stderr.split('\n');
    for (const trial of ['trial 0', 'trial 1']) {
      const steps = lines.filter((line) => line.startsWith(`${trial} `) && /\d+\/60/.test(line));
      expect(steps.map((line) => line.match(/\d+\/60/)?.[0])).toEqual(['20/60', '40/60', '60/60']);
      expect(steps[0]).toMatch(/ lr \S+ +momentum \S+ +val \d\.\d{3} +ρ \d\.\d\d +[A-Z_]+$/);
      expect(lines.some((line) => line.startsWith(`${trial}   SUCCEEDED   val `))).toBe(true);
    }
    expect(watched.stderr).not.toContain('\u001B');
  });

  it('ends with a table of its trials', () => {
    const [head, ...rows] = watched.stdout.trim().split('\n').filter(Boolean);
    expect(head).toMatch(/^trial +state +steps +validation loss .*windows trusted$/);
    expect(rows).toEqual([
      expect.stringMatching(/^0 seed 0 +SUCCEEDED +60 +\d\.\d{3} .* of 3$/),
      expect.stringMatching(/^1 seed 1 +SUCCEEDED +60 +\d\.\d{3} .* of 3$/),
    ]);
  });

  it('can be JSON, of standard input too, and get another name and more labels', async () => {
    const spec = { ...quickStudy({ outerSteps: 1 }), space: { lr: { min: 0.001, max: 1, init: 0.02 } } };
    const { stdout, stderr } = await execa(
      process.execPath,
      [GLOCAL, 'study', 'create', '-f', '-', '--name', 'renamed', '--label', 'run=1', '--json'],
      { env: environmentOfGlocal({ GLOCAL_ADDRESS: trainer.address }), input: JSON.stringify(spec) },
    );
    expect(JSON.parse(stdout), stderr).toMatchObject({ displayName: 'renamed', labels: { run: '1' } });
  });

  it('that is wrong is refused with every field, in words and as JSON', async () => {
    const wrong = join(folder, 'wrong.yaml');
    await writeFile(wrong, STUDY.replace('init: 0.02', 'init: 2').replace('steps: 60', 'steps: 61'));
    const words = await run('study', 'create', '-f', wrong);
    expect(words.exitCode).toBe(65);
    expect(words.stderr).toMatch(/^GlocalError INVALID_ARGUMENT/);
    expect(words.stderr).toContain('\n  space.lr.init: ');
    expect(words.stderr).not.toMatch(/^ +at /m);
    const json = await run('study', 'create', '-f', wrong, '--json');
    expect(json.stdout).toBe('');
    expect(JSON.parse(json.stderr).error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(JSON.parse(json.stderr).error.fieldViolations).toContainEqual(
      expect.objectContaining({ field: 'space.lr.init' }),
    );
  });

  it('can only be checked', async () => {
    const before = await document('study', 'list');
    const checked = await document('study', 'create', '-f', join(folder, 'study.yaml'), '--validate');
    expect(checked.method).toMatchObject({ window: 20, stride: 1 });
    expect(await document('study', 'list')).toHaveLength(before.length);
  });
});

describe('studies', () => {
  it('are listed, by state and label, and got with their trials', async () => {
    const listed = await document('study', 'list', '--label', 'team=vision', '--state', 'completed');
    expect(listed.map((study: { name: string }) => study.name)).toEqual([name]);
    const words = await run('study', 'list', '--limit', '1');
    expect(words.stdout.split('\n')[0]).toMatch(/^study +state +created +name +labels$/);
    const got = await document('study', 'get', name);
    expect(got).toMatchObject({ name, state: 'COMPLETED', trials: [{ state: 'SUCCEEDED' }, { seed: 1 }] });
    const shown = await run('study', 'get', name.replace('studies/', ''));
    expect(shown.stdout).toMatch(/^study +studies\//);
    expect(shown.stdout).toContain('fashion-mnist-10k · mlp · sgd');
  });

  it('are watched as JSON, a line for each event', async () => {
    const { stdout, exitCode } = await run('study', 'watch', name, '--json');
    expect(exitCode).toBe(0);
    const events = stdout.split('\n').map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ type: 'study', name, state: 'ACTIVE' });
    expect(events.filter(({ type }) => type === 'outerStep')).toHaveLength(6);
    expect(events.at(-1)).toMatchObject({ type: 'study', state: 'COMPLETED' });
    const later = await run('study', 'watch', name, '--json', '--cursor', events.at(-2).cursor);
    expect(later.stdout.split('\n')).toHaveLength(1);
  });

  it('are compared', async () => {
    const { stdout } = await run('study', 'compare', name, other.name);
    expect(stdout).toMatch(/from a file +a test of glocal/);
    expect(stdout).toMatch(/^validation loss +\d\.\d{4} ± \d/m);
    expect((await document('study', 'compare', name, other.name)).studies).toHaveLength(2);
    expect((await run('study', 'compare', name)).exitCode).toBe(64);
  });

  it('that are not there have an exit code of their own', async () => {
    const { exitCode, stderr } = await run('study', 'get', 'nobody');
    expect(exitCode).toBe(66);
    expect(stderr).toMatch(/^GlocalError NOT_FOUND/);
  });
});

describe('steering', () => {
  it('pauses, resumes, cancels and deletes', async () => {
    const study = await trainer.client.studies.create(longStudy());
    await training(study);
    expect((await run('study', 'pause', study.name)).stdout).toBe(`${study.name} is PAUSED`);
    expect(await document('study', 'resume', study.name)).toMatchObject({ state: 'ACTIVE' });
    const refused = await run('study', 'delete', study.name);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('or say --force');
    expect(await document('study', 'cancel', study.name)).toMatchObject({ state: 'CANCELLED' });
    const watching = await run('study', 'watch', study.name);
    expect(watching.exitCode).toBe(1);
    expect(watching.stderr).toContain('is CANCELLED');
    expect((await run('study', 'delete', study.name)).stdout).toBe(`${study.name} is deleted`);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves a watched study running at %s, and says how to come back',
    async (signal) => {
      const study = await trainer.client.studies.create(longStudy());
      await training(study);
      const watching = run('study', 'watch', study.name);
      await new Promise<void>((resolve) =>
        watching.stderr?.on('data', (data) => String(data).includes('/1000000') && resolve()),
      );
      watching.kill(signal);
      const { exitCode, stderr } = await watching;
      expect(exitCode).toBe(130);
      const address = `--address ${trainer.address}`;
      expect(stderr).toContain(
        `to come back: glocal study watch ${study.name.replace('studies/', '')} ${address}`,
      );
      expect((await study.refresh()).state).toBe('ACTIVE');
      await study.cancel();
    },
  );
});

it('a watched study that is paused is not said to go on', async () => {
  const study = await trainer.client.studies.create(longStudy());
  await study.pause();
  const watching = run('study', 'watch', study.name);
  await new Promise<void>((resolve) =>
    watching.stderr?.on('data', (data) => String(data).includes('PAUSED') && resolve()),
  );
  watching.kill('SIGINT');
  const { exitCode, stderr } = await watching;
  expect(exitCode).toBe(130);
  expect(stderr).toContain(`stays PAUSED until \`glocal study resume ${study.name.replace('studies/', '')} `);
  expect(stderr).not.toContain('goes on; to come back');
  await study.cancel();
});

describe('a space with vectors, and with children of a choice', () => {
  const SPACE = `
space:
  optimizer:
    values:
      sgd: { lr: { per: layer, min: 0.001, max: 1, init: 0.02, scale: log }, momentum: 0.5 }
      adam: { lr: { min: 0.0001, max: 0.1, init: 0.001 } }`;
  let created: Awaited<ReturnType<typeof run>>;
  let branching: string;
  beforeAll(async () => {
    const file = join(folder, 'branching.yaml');
    const spec = STUDY.replace(' optimizer: sgd,', '').replace(/\nspace:[\s\S]*?(?=\ntraining)/, SPACE);
    await writeFile(file, spec.replace('steps: 60, seeds: [0, 1]', 'steps: 40'));
    created = await run('study', 'create', '-f', file, '--watch');
    branching = created.stderr.match(/^studies\/\S+$/m)?.[0] ?? '';
  }, 120_000);

  it('has them while it is watched', () => {
    expect(created.exitCode, created.stderr).toBe(0);
    expect(created.stderr).toMatch(/^trial 0 +20\/40 +lr \d\S+…\d\S+ +val /m);
    expect(created.stderr).toMatch(/^trial 1 +20\/40 +lr \d\.\d+ +val /m);
  });

  it('has them in a picture, and in an outer step', async () => {
    const svg = join(folder, 'branching.svg');
    await run('schedule', 'plot', branching, '-o', svg);
    const drawn = await readFile(svg, 'utf8');
    for (const panel of ['lr/dense1', 'lr/dense2', 'momentum']) expect(drawn).toContain(`>${panel}<`);
    const { stdout } = await run('window', 'show', branching, '1');
    expect(stdout).toMatch(/^optimizer +sgd$/m);
    expect(stdout).toMatch(/^lr\/dense1 +0\.0200 → \d/m);
    expect(stdout).toMatch(/^losses +.*, at the averaged weights \d/m);
  });
});

/** Only util-linux's makes a terminal for a command that it is given. */
const hasTerminal = process.platform === 'linux';

describe.runIf(hasTerminal)('on a terminal', () => {
  it('progress is a bar with the time left and curves, and the table comes after it', async () => {
    const quoted = [process.execPath, GLOCAL, 'study', 'watch', other.name]
      .map((arg) => `'${arg}'`)
      .join(' ');
    const { stdout } = await execa('script', ['-qec', `stty cols 200; ${quoted}`, '/dev/null'], {
      env: { ...environmentOfGlocal({ GLOCAL_ADDRESS: trainer.address }), TERM: 'xterm' },
      stdin: 'ignore',
    });
    expect(stdout).toMatch(
      /trial 0 +█{20} +40\/40 +lr \S+ [▁-█]{2} +momentum \S+ [▁-█]{2} +val \S+ [▁-█]{2} .*0:0/,
    );
    expect(stdout).toMatch(/trial +state +steps/);
    // The cursor is back.
    expect(stdout.lastIndexOf('\u001B[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001B[?25l'));
  });
});

describe('results', () => {
  it('are exported as a table and as JSON', async () => {
    const { stdout } = await run('schedule', 'export', name, '--trial', '1');
    expect(stdout.split('\n')[0]).toBe('step,lr,momentum,weightDecay');
    const out = join(folder, 'schedule.json');
    await run('schedule', 'export', name, '--format', 'json', '-o', out);
    expect(JSON.parse(await readFile(out, 'utf8')).columns).toEqual(['lr', 'momentum', 'weightDecay']);
    const code = await run('schedule', 'export', name, '--format', 'pytorch', '--parameters', 'lr,momentum');
    expect(code.stdout, code.stderr).toContain('torch');
    const csv = join(folder, 'schedule.csv');
    expect(await document('schedule', 'export', name, '-o', csv)).toEqual({ file: csv });
    expect(await readFile(csv, 'utf8')).toMatch(/^step,lr,momentum,weightDecay\n0,/);
    const module = await document('schedule', 'export', name, '--format', 'keras', '--parameters', 'lr');
    expect(module).toEqual({ format: 'keras', code: expect.stringContaining('keras') });
    const unknown = await run('schedule', 'export', name, '--format', 'keras', '--parameters', 'rate');
    expect(unknown.stderr).toContain('\n  --parameters: ');
  });

  it.each(['schedule', 'losses', 'hypergradients', 'spectrum'])('are drawn: %s', async (what) => {
    const svg = join(folder, `${what}.svg`);
    const { exitCode, stdout, stderr } = await run('schedule', 'plot', name, '--what', what, '-o', svg);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toBe(svg);
    const parser = new SaxesParser();
    parser.on('error', (error) => expect.unreachable(error.message));
    parser.write(await readFile(svg, 'utf8')).close();
  });

  it('are drawn side by side, as pixels too', async () => {
    const png = join(folder, 'both.png');
    const { exitCode, stderr } = await run('schedule', 'plot', name, name, '-o', png);
    expect(exitCode, stderr).toBe(0);
    const bytes = await readFile(png);
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    expect((await run('schedule', 'plot', name, name, '--what', 'spectrum')).exitCode).toBe(64);
    expect((await run('schedule', 'plot', name, '-o', 'picture.gif')).exitCode).toBe(64);
  });

  it('are windows, shown and analyzed again', async () => {
    const { stdout } = await run('window', 'show', name, '2');
    expect(stdout).toMatch(/^verdict +[A-Z_]+: /m);
    expect(stdout).toMatch(/^component +local +mean +glocal/m);
    expect(stdout).toMatch(/^eigenvalue +contribution +energy +steady$/m);
    expect((await document('window', 'show', name, '2')).window.hypergradients).toHaveLength(10);
    const again = await document('window', 'reanalyze', name, '2', '--variant', 'mean', '--sigma', '5');
    expect(again.report.glocal[0]).toBeCloseTo(again.report.mean[0], 12);
    expect((await run('window', 'reanalyze', name, '2', '--variant', 'hankel')).stdout).toContain(
      'verdict now',
    );
    expect((await run('window', 'reanalyze', name, '2', '--variant', 'best')).exitCode).toBe(64);
    const wrong = await run('window', 'reanalyze', name, '2', '--delays', '-1');
    expect(wrong.exitCode).toBe(65);
    expect(wrong.stderr).toContain('\n  --delays: ');
  });
});
