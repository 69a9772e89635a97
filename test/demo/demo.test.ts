/** The demo as a newcomer runs it: a process with a terminal's output, files, and exit codes. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SaxesParser } from 'saxes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, outerStepsIn, tableOf } from '../support/demo.ts';
import { descendants, expectGone, type RunningProcess } from '../support/processes.ts';
import { temporaryFolder } from '../support/trainer.ts';

const RUNS = ['fixed', 'glocal', 'cosine', 'default'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
/** Of a demo that nothing disturbs. */
let out: string;
let ended: Awaited<ReturnType<typeof demo>>;
let started: RunningProcess[];
beforeAll(async () => {
  folder = await temporaryFolder();
  out = join(folder.path, 'run');
  const running = demo('--steps', '100', '--out', out);
  started = [];
  running.stderr.on('data', () => started.push(...descendants(running.pid ?? 0)));
  ended = await running;
}, 300_000);
afterAll(() => folder.remove());

describe('the demo', () => {
  const file = (name: string) => readFile(join(out, name), 'utf8');

  it('ends with exit code 0, and leaves no process', async () => {
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(started.length).toBeGreaterThan(0);
    await expectGone(started);
  });

  it('says what it trains, on what, and how far it is', () => {
    const [what, ...lines] = ended.stderr.split('\n').filter((line) => line.trim() !== '');
    expect(what).toMatch(/^Fashion-MNIST, 10,000 images · LeNet, 15,386 parameters · .+ · DMD ready$/);
    expect(lines.map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual(
      ['FIXED', 'GLOCAL', 'COSINE', 'DEFAULT'].flatMap((run) => [
        [run, '50/100'],
        [run, '100/100'],
      ]),
    );
    expect(lines[0]).toMatch(/ lr 0\.0100 +mom 0\.100 +wd 0\.00100 +val \d\.\d{3}$/);
    const tuned = lines.filter((line) => /^(GLOCAL|DEFAULT)/.test(line));
    for (const line of tuned) expect(line).toMatch(/ val \d\.\d{3} +ρ \d\.\d\d +[A-Z_]+/);
  });

  it('compares the runs in a table without colours, and names the files', () => {
    const [head, fixed, glocal, cosine, tuned, , files] = ended.stdout.split('\n').map((line) => line.trim());
    expect(head).toMatch(
      /^test accuracy .*validation loss .*lr .*cost in plain runs +time +windows trusted$/,
    );
    expect(fixed).toMatch(/^FIXED .* 0\.0100 +0\.100 +0\.00100 +1\.00 +\d+:\d\d +–$/);
    expect(cosine).toMatch(/^COSINE +0\.\d{3} .* 1\.00 +\d+:\d\d +–$/);
    expect(glocal).toMatch(/^GLOCAL +0\.\d{3} .* \d+\.\d\d +\d+:\d\d +[0-2] of 2$/);
    // A Schedule-Free optimizer trains its average alone.
    expect(tuned).toMatch(/^DEFAULT +– +0\.\d{3} .* \d+\.\d\d +\d+:\d\d +[0-2] of 2$/);
    expect(ended.stdout).not.toContain('\u001b');
    expect(files?.split(/ {3}/).map((path) => path.split('/').at(-1))).toEqual([
      'schedule.svg',
      'schedule.csv',
      'outer-steps.jsonl',
      'spectrum.svg',
    ]);
  });

  it('writes the schedule of every run as CSV', async () => {
    const [head, ...rows] = (await file('schedule.csv')).trimEnd().split('\n');
    expect(head).toBe('run,step,lr,momentum,weightDecay');
    const cells = rows.map((row) => row.split(','));
    expect(cells.map(([run, step]) => `${run} ${step}`)).toEqual(
      RUNS.flatMap((run) => [0, 50, 100].map((step) => `${run} ${step}`)),
    );
    for (const [, , ...values] of cells) {
      expect(values).toHaveLength(3);
      for (const value of values) expect(Number(value)).toBeGreaterThanOrEqual(0);
    }
    const final = (run: string) => cells.find(([name, step]) => name === run && step === '100')?.slice(2);
    expect(final('glocal')).not.toEqual(final('fixed'));
  });

  it('writes every outer step as a line of JSON, with its window and its spectrum', async () => {
    const steps = (await file('outer-steps.jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(steps.map(({ run, index, step }) => [run, index, step])).toEqual(
      RUNS.flatMap((run) => [
        [run, 1, 50],
        [run, 2, 100],
      ]),
    );
    for (const { run, window, report, update, validation } of steps) {
      expect(validation.loss).toBeGreaterThan(0);
      if (run === 'fixed' || run === 'cosine') {
        expect({ window, report, update }).toEqual({});
        continue;
      }
      const share = run === 'default' ? 'beta' : 'momentum';
      expect(window.components).toEqual(['lr', share, 'weightDecay']);
      expect(window.hypergradients).toHaveLength(window.rows);
      if (run === 'glocal') expect(window.rows).toBe(20);
      for (const row of window.hypergradients) expect(row).toEqual(Array(3).fill(expect.any(Number)));
      expect(report.spectrum.modes[0].eigenvalue).toEqual({ re: expect.any(Number), im: expect.any(Number) });
      expect(update.hypergradient).toHaveLength(3);
    }
  });

  it.each(['schedule.svg', 'spectrum.svg'])(
    'draws %s as well-formed SVG that needs no network',
    async (name) => {
      const svg = elements(await file(name));
      expect(svg[0]?.name).toBe('svg');
      const references = svg.flatMap(({ name: element, attributes }) =>
        Object.entries(attributes)
          .filter(
            ([key, value]) => !key.startsWith('xmlns') && /^\s*(https?:)?\/\/|url\(\s*['"]?\w/.test(value),
          )
          .map(([key, value]) => `${element} ${key}="${value}"`),
      );
      expect(references).toEqual([]);
      expect(svg.map((element) => element.name)).not.toContain('script');
    },
  );

  it('draws a line for each run in each of four panels, and names them', async () => {
    const svg = elements(await file('schedule.svg'));
    const lines = svg.filter(({ attributes }) => attributes['aria-roledescription'] === 'line mark');
    expect(lines).toHaveLength(RUNS.length * 4);
    const texts = svg.map(({ text }) => text);
    for (const text of ['FIXED', 'DEFAULT', 'learning rate', 'momentum or β', 'weight decay']) {
      expect(texts).toContain(text);
    }
  });

  it('draws a point for each eigenvalue of the first glocal run', async () => {
    const steps = (await file('outer-steps.jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const modes = steps.flatMap(({ run, report }) => (run === 'glocal' ? report.spectrum.modes : []));
    const inside = modes.filter(({ eigenvalue: { re, im } }) => Math.max(Math.abs(re), Math.abs(im)) < 1.25);
    const svg = elements(await file('spectrum.svg'));
    const points = svg.filter(({ attributes }) => attributes['aria-roledescription'] === 'point');
    expect(inside.length).toBeGreaterThan(0);
    expect(points.length).toBeGreaterThanOrEqual(inside.length);
    expect(points.length).toBeLessThanOrEqual(modes.length);
  });
});

describe('a demo that is interrupted', () => {
  it('stops all that it has started, and ends with exit code 130', async () => {
    const running = demo('--steps', '5000', '--out', join(folder.path, 'interrupted'));
    await new Promise<void>((resolve) => {
      running.stderr.on('data', (text: Buffer) => String(text).includes('50/5000') && resolve());
    });
    const children = descendants(running.pid ?? 0);
    expect(children.map(({ command }) => /main\.ts|glocal-dmd/.exec(command)?.[0]).sort()).toEqual([
      'glocal-dmd',
      'main.ts',
      'main.ts',
    ]);
    running.kill('SIGINT');
    const { exitCode, stderr, stdout } = await running;
    expect(exitCode).toBe(130);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('stopped');
    expect(stdout).toBe('');
    await expectGone(children);
  });

  it('goes on when it is started again at once, also after it was killed, and ends with the same table', async () => {
    const killed = join(folder.path, 'killed');
    const args = ['--steps', '100', '--runs', 'fixed,glocal', '--out', killed];
    const running = demo(...args);
    await new Promise<void>((resolve) => {
      running.stderr.on('data', (text: Buffer) => /GLOCAL +50\/100/.test(String(text)) && resolve());
    });
    const children = descendants(running.pid ?? 0);
    running.kill('SIGKILL');
    await running;
    const { exitCode, stderr, stdout } = await demo(...args);
    expect(exitCode, stderr).toBe(0);
    await expectGone(children);
    expect(stderr).toContain('goes on where it was interrupted');
    expect(existsSync(join(killed, 'unfinished.json'))).toBe(false);

    // Heads, and a row for each run; two outer steps for each run.
    expect(tableOf(stdout)).toEqual(tableOf(ended.stdout).slice(0, 3));
    expect(await outerStepsIn(killed)).toEqual((await outerStepsIn(out)).slice(0, 4));
  }, 600_000);

  it('stops all that it has started while it is still starting, too', async () => {
    const running = demo('--out', join(folder.path, 'early'));
    await expect.poll(() => descendants(running.pid ?? 0).length, { timeout: 20_000 }).toBeGreaterThan(0);
    const children = descendants(running.pid ?? 0);
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(130);
    await expectGone(children);
  });
});

describe('the command line of the demo', () => {
  it('says with --help what it does and what can be chosen', async () => {
    const { exitCode, stdout } = await demo('--help');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Usage: npm run demo -- /);
    for (const flag of ['--steps', '--seed', '--runs', '--out']) expect(stdout).toContain(flag);
  });

  it('ends with exit code 66 and one line where the folder is a file', async () => {
    const { exitCode, stderr } = await demo('--out', import.meta.filename);
    expect(stderr).toMatch(/^--out: EEXIST: .*$/);
    expect(exitCode).toBe(66);
  });

  it('ends with exit code 64 and one line for a wrong option, and leaves nothing', async () => {
    const wrong = join(folder.path, 'wrong');
    const { exitCode, stdout, stderr } = await demo('--steps', '77', '--out', wrong);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(/^error: .*--steps.*77.*$/);
    expect(existsSync(wrong)).toBe(false);
  });
});

/** An element with the text directly in it. */
interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

/** The elements of an XML document in their order. @throws Error where it is not well-formed. */
function elements(xml: string): Element[] {
  const all: Element[] = [];
  const open: Element[] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element: Element = { name, attributes, text: '' };
    all.push(element);
    open.push(element);
  });
  parser.on('text', (text) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.write(xml).close();
  return all;
}
