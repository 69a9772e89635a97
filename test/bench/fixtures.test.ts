/** `npm run bench -- --only fixtures`: the two accuracy figures, from the project's own reference numbers or others. */

import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutSettings } from '../support/environment.ts';
import { temporaryFolder } from '../support/trainer.ts';
import type { Row } from './row.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const repository = fileURLToPath(new URL('../..', import.meta.url));

const bench = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  execa(process.execPath, [MAIN, ...args], {
    env: { ...withoutSettings(), NO_COLOR: '1', ...env },
    reject: false,
  });

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

/** The rows that a run writes. */
async function rows(env: NodeJS.ProcessEnv = {}): Promise<{ rows: Row[]; stdout: string }> {
  const file = join(folder.path, 'rows.json');
  const { exitCode, stdout, stderr } = await bench(['--only', 'fixtures', '--json', file], env);
  expect(exitCode, stderr).toBe(0);
  return { ...(JSON.parse(await readFile(file, 'utf8')) as { rows: Row[] }), stdout };
}

const HYPERGRADIENTS = { name: 'engine.lenet.hypergradient_rel_error', unit: 'relative', n: 15, limit: 1e-4 };
const DECOMPOSITIONS = { name: 'dmd.fixtures_max_rel_error', unit: 'relative', n: 16, limit: 1e-6 };

it('measures both figures, below their limits, in a table and as JSON', async () => {
  const { rows: measured, stdout } = await rows();
  expect(measured).toHaveLength(2);
  for (const { limit, ...expected } of [HYPERGRADIENTS, DECOMPOSITIONS]) {
    const row = measured.find(({ name }) => name === expected.name);
    expect(row).toEqual({ ...expected, value: expect.any(Number) });
    expect(row?.value).toBeGreaterThan(0);
    expect(row?.value).toBeLessThanOrEqual(limit);
    expect(stdout).toMatch(new RegExp(`${expected.name} .*${expected.unit} .*${expected.n}`));
  }
});

describe('with GLOCAL_FIXTURES', () => {
  /** The project's own numbers, in one folder. */
  let copies: string;
  beforeAll(async () => {
    copies = join(folder.path, 'fixtures');
    await cp(join(repository, 'services/trainer/fixtures'), copies, { recursive: true });
    await cp(join(repository, 'services/dmd/tests/fixtures/dmd.json'), join(copies, 'dmd.json'));
  });

  /** Changes one number in a file. */
  async function spoil<Content>(name: string, change: (content: Content) => void): Promise<void> {
    const content = JSON.parse(await readFile(join(copies, name), 'utf8')) as Content;
    change(content);
    await writeFile(join(copies, name), JSON.stringify(content));
  }

  it('compares with the numbers of that folder, and finds what differs there', async () => {
    await spoil<{ eig: [number, number][] }[]>('dmd.json', ([first]) => {
      if (first?.eig[1] === undefined) throw new Error('no second eigenvalue');
      first.eig[1][0] += 0.01;
    });
    await spoil<{ results: { float32: { h: number[][] } } }>('hyper.json', ({ results: { float32 } }) => {
      const last = float32.h.at(-1);
      if (last?.[0] === undefined) throw new Error('no hypergradient');
      last[0] *= 1.05;
    });
    const { rows: measured } = await rows({ GLOCAL_FIXTURES: copies });
    const value = (wanted: string) => measured.find(({ name }) => name === wanted)?.value;
    expect(value(DECOMPOSITIONS.name)).toBeCloseTo(0.01, 4);
    expect(value(HYPERGRADIENTS.name)).toBeGreaterThan(1e-3);
  });
});

it('names the folder in GLOCAL_FIXTURES that is not there, or what it lacks, with exit code 66', async () => {
  const missing = join(folder.path, 'none');
  const absent = await bench(['--only', 'fixtures'], { GLOCAL_FIXTURES: missing });
  expect(absent).toMatchObject({ exitCode: 66, stderr: `GLOCAL_FIXTURES: ${missing} does not exist` });
  const empty = await bench(['--only', 'fixtures'], { GLOCAL_FIXTURES: folder.path });
  expect(empty.exitCode).toBe(66);
  expect(empty.stderr).toMatch(/ lacks dmd\.json, hyper\.json, /);
});

it('names the groups there are, with exit code 64, when asked for another', async () => {
  const { exitCode, stdout, stderr } = await bench(['--only', 'dmd,speed']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
  expect(stderr).toMatch(
    /--only.*speed.*fixtures, dmd, engine, e2e, sdk, dashboard, deploy, service, rollout, scale/,
  );
});

it('says with --help what can be chosen', async () => {
  const { exitCode, stdout } = await bench(['--help']);
  expect(exitCode).toBe(0);
  for (const word of ['--only', '--json', 'GLOCAL_FIXTURES']) expect(stdout).toContain(word);
});
