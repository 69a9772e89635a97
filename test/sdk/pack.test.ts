/** The SDK as its users get it: packed, installed in an empty folder, and run as the README says. */

import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptedServer } from './support/scripted-server.ts';
import { startScriptedTrainer } from './support/scripted-trainer.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sdk = join(root, 'sdk');
const readme = readFileSync(join(sdk, 'README.md'), 'utf8');

let folder: string;
let packed: { filename: string; files: { path: string }[] };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glocal-sdk-'));
  const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], { cwd: sdk });
  [packed] = JSON.parse(stdout);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true }));
  await execa('npm', ['install', '--prefer-offline', `./${packed.filename}`], { cwd: folder });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const installed = (path: string) => readFileSync(join(folder, 'node_modules/@glocal/sdk', path), 'utf8');

describe('the package', () => {
  it('has the built module for import and for require, its types, README, llms.txt and licences, and nothing else', () => {
    expect(packed.files.map(({ path }) => path).sort()).toEqual([
      'LICENSE',
      'README.md',
      'dist/index.cjs',
      'dist/index.d.cts',
      'dist/index.d.mts',
      'dist/index.mjs',
      'dist/licences-of-others.txt',
      'dist/llms.txt',
      'package.json',
    ]);
  });

  it('brings two packages along, and those that they need', () => {
    const { dependencies } = JSON.parse(installed('package.json'));
    expect(Object.keys(dependencies).sort()).toEqual(['@bufbuild/protobuf', '@grpc/grpc-js']);
    expect(readdirSync(join(folder, 'node_modules/@glocal'))).toEqual(['sdk']);
  });

  it('has the licences of the packages whose code is inside', () => {
    const licences = installed('dist/licences-of-others.txt');
    expect(licences).toMatch(/^pure-rand \d[\s\S]+MIT License[\s\S]+^yaml \d[\s\S]+Permission to use/m);
  });

  it('documents every public name', () => {
    const [, list = ''] = installed('dist/index.d.mts').match(/^export \{(.*)\};$/m) ?? [];
    const names = list.split(',').map(
      (item) =>
        item
          .trim()
          .split(/ as | /)
          .at(-1) ?? '',
    );
    expect(names).toContain('GlocalClient');
    const code = [...readme.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].join(' ');
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  });
});

describe("the README's program", () => {
  let server: ScriptedServer;
  beforeAll(async () => {
    server = await startScriptedTrainer();
    const [, program = ''] = readme.match(/```js\n([\s\S]*?)```/) ?? [];
    await writeFile(join(folder, 'tune.mjs'), program);
  });
  afterAll(() => server.stop());

  it.each(runtimes())('runs to its end and prints the schedule, on Node %s', async (_version, node) => {
    const { stdout } = await execa(node, ['tune.mjs'], {
      cwd: folder,
      env: { GLOCAL_ADDRESS: server.address },
    });
    const lines = stdout.trim().split('\n');
    expect(lines.slice(0, 4)).toEqual(
      [50, 100, 150, 200].map((step) => expect.stringMatching(`^step ${step}: lr 0\\.\\d{4}, loss \\d`)),
    );
    expect(lines[4]).toMatch(/^COMPLETED, test accuracy 0\.\d+$/);
    expect(lines[5]).toBe('step,lr,momentum,weightDecay');
    expect(lines[6]).toMatch(/^0,0\.01,0\.1,0\.0005$/);
    expect(lines.slice(6)).toHaveLength(5);
  });
});

it.each(runtimes())('can be required, on Node %s, and has the same names then', async (_version, node) => {
  const program = `
    const required = Object.keys(require('@glocal/sdk')).sort();
    import('@glocal/sdk').then((imported) => console.log(JSON.stringify([required, Object.keys(imported).sort()])));
  `;
  const { stdout } = await execa(node, ['--eval', program], { cwd: folder });
  const [required, imported] = JSON.parse(stdout);
  expect(required).toContain('GlocalClient');
  expect(required).toEqual(imported);
});

describe('the types', () => {
  const program = `
    import { float, fixed, GlocalClient, space, type Study } from '@glocal/sdk';

    const client = new GlocalClient();
    const study = await client.studies.create({
      space: space({ lr: float({ min: 1e-4, max: 1, init: 0.01 }), weightDecay: fixed(5e-4) }),
      problem: { dataset: 'd', model: 'm', optimizer: 'o' },
      training: { steps: 100 },
      method: { estimator: 'glocal' },
    });
    for await (const event of study.watch()) {
      if (event.type !== 'outerStep') continue;
      const lr: number = event.values.lr;
      // @ts-expect-error The space has no such parameter.
      event.values.lrr;
      // @ts-expect-error Not a verdict.
      event.verdict === 'FINE';
    }
    const anyStudy: Study = study;
    // @ts-expect-error Not an estimator.
    await client.studies.create({ ...anyStudy, method: { estimator: 'best' } });
    await client[Symbol.asyncDispose]();
  `;

  it.each([
    ['only what the language itself has', ['es2022', 'dom'], 'nodenext'],
    ['a bundler', ['es2022', 'dom', 'esnext.asynciterable'], 'bundler'],
  ])('stand alone, with %s', async (_what, lib, moduleResolution) => {
    const module = moduleResolution === 'nodenext' ? 'nodenext' : 'esnext';
    await writeFile(join(folder, 'types.mts'), program);
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          lib,
          module,
          moduleResolution,
          target: 'es2022',
          types: [],
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          skipLibCheck: false,
        },
        files: ['types.mts'],
      }),
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await execa(process.execPath, [tsc, '-p', '.'], { cwd: folder, reject: false });
    expect(stdout).toBe('');
  });
});

/** This Node, and any other on the PATH that the SDK is made for. */
function runtimes(): [version: string, path: string][] {
  const { engines } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8'));
  const found = new Map([[process.versions.node, process.execPath]]);
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, 'node');
    const { stdout: version, failed } = execaSync(path, ['-p', 'process.versions.node'], { reject: false });
    if (!failed && isAtLeast(version, engines.node.replace('>=', ''))) found.set(version, path);
  }
  return [...found];
}

function isAtLeast(version: string, least: string): boolean {
  return version.localeCompare(least, 'en', { numeric: true }) >= 0;
}
