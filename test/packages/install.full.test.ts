/** All packages, installed from their tarballs in an empty folder: a trainer there trains what the README's program asks for. */

import { copyFileSync, globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensurePackages } from '../../scripts/steps/packages.ts';
import { withoutSettings } from '../support/environment.ts';
import { deadAddress } from '../support/ports.ts';
import { emptyFolder, install, root, tarballsIn } from './packed.ts';

const cleanUp = new AsyncDisposableStack();
let folder: string;
let tarballs: ReadonlyMap<string, string>;

beforeAll(async () => {
  await ensurePackages();
  folder = cleanUp.use(await emptyFolder()).path;
  tarballs = await tarballsIn(join(folder, 'tarballs'));
  await install(folder, [...tarballs.values()]);
}, 300_000);
afterAll(() => cleanUp.disposeAsync());

const installed = (path: string) => join(folder, 'node_modules', path);
const program = () => installed('@glocal/trainer/lib/main.js');

/** Starts the installed trainer on a free port, however long its first start takes; it ends with its standard input. */
async function start(): Promise<{ address: string; log: () => string; stop: () => Promise<unknown> }> {
  const args = ['--listen', '127.0.0.1:0', '--store', 'memory:', '--exit-with-stdin'];
  const server = execa(installed('.bin/glocal-trainer'), args, {
    env: withoutSettings(),
    reject: false,
    stdin: 'pipe',
  });
  let log = '';
  server.stderr.on('data', (text) => {
    log += text;
  });
  const line = new Promise<string>((resolve) => {
    createInterface({ input: server.stdout }).once('line', resolve);
  });
  const said = await Promise.race([line, server]);
  const address = typeof said === 'string' ? said.match(/listening on (\S+)$/)?.[1] : undefined;
  if (address === undefined) throw new Error(`the installed trainer did not start: ${log}`);
  const stop = () => {
    server.stdin.end();
    return server;
  };
  return { address, log: () => log, stop };
}

/** The first program of a page. */
const firstProgram = (page: string, language: string): string =>
  readFileSync(join(root, page), 'utf8').match(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``))?.[1] ??
  '';

describe('the packages', () => {
  it('name no folder of the machine that made them', async () => {
    const files = globSync('node_modules/@glocal/**/*', { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.length).toBeGreaterThan(100);
    const named = files.filter((file) => {
      const text = readFileSync(file, 'latin1');
      return [root, homedir()].some((path) => path.length > 1 && text.includes(`${path}/`));
    });
    expect(named).toEqual([]);
  });

  it('bring no TypeScript of the sources, and one tfjs', () => {
    const sources = globSync('node_modules/@glocal/*/**/*.ts', { cwd: folder }).filter(
      (file) => !/\.d\.[mc]?ts$/.test(file) && !file.includes('tfjs-node'),
    );
    expect(sources).toEqual([]);
    expect(globSync('node_modules/**/@tensorflow/tfjs-core', { cwd: folder })).toHaveLength(1);
  });
});

describe('the installed trainer', () => {
  it('says what to do when there is no DMD service, before it sets anything up', async () => {
    const { exitCode, stderr } = await execa(program(), ['--listen', '127.0.0.1:0'], {
      env: {
        ...{ ...withoutSettings(), PATH: join(process.execPath, '..') },
        GLOCAL_CACHE_DIR: join(folder, 'no-cache'),
      },
      extendEnv: false,
      reject: false,
    });
    expect(exitCode).toBe(69);
    expect(stderr).not.toContain('first start');
    expect(stderr).toContain('the DMD service is not at');
    expect(stderr).toMatch(/on PATH, or set GLOCAL_DMD_BINARY .* or GLOCAL_DMD_ADDRESS/);
  });

  it('sets its runtime up, finds the DMD service beside it, and trains the program of the README to its end', async () => {
    copyFileSync(join(root, 'target/release/glocal-dmd'), installed('.bin/glocal-dmd'));
    const trainer = await start();
    try {
      expect(trainer.log()).toContain('first start: setting up the native TensorFlow runtime');
      await writeFile(join(folder, 'tune.mjs'), firstProgram('sdk/README.md', 'js'));
      const { stdout } = await execa(process.execPath, ['tune.mjs'], {
        cwd: folder,
        env: { GLOCAL_ADDRESS: trainer.address },
      });
      const printed = stdout.trim().split('\n');
      expect(printed.slice(0, 4)).toEqual(
        [50, 100, 150, 200].map((step) => expect.stringContaining(`step ${step}: lr 0.`)),
      );
      expect(printed[4]).toMatch(/^COMPLETED, test accuracy 0\.[4-9]/);
    } finally {
      await trainer.stop();
    }
    const again = await start();
    await again.stop();
    expect(again.log()).not.toContain('first start');
  }, 900_000);
});

describe('the installed command line', () => {
  it('writes a project whose two commands run', async () => {
    const env = { ...withoutSettings(), NO_COLOR: '1' };
    const glocal = (...args: string[]) => execa(installed('.bin/glocal'), args, { cwd: folder, env });
    const { stdout } = await glocal('init', '--force');
    expect(stdout).toContain('npm run serve');
    const address = await deadAddress();
    const serving = execa('npm', ['run', 'serve'], {
      cwd: folder,
      env: { ...env, GLOCAL_LISTEN: address, GLOCAL_STORE: 'memory:' },
      reject: false,
      // A group of its own, which a terminal's Ctrl-C reaches as a whole: npm alone would not pass it on.
      detached: true,
    });
    try {
      // The first start of a trainer sets its runtime up.
      await expect
        .poll(
          () =>
            glocal('doctor', '--address', address).then(
              () => true,
              () => false,
            ),
          { timeout: 400_000 },
        )
        .toBe(true);
      const tuned = await execa('npm', ['run', 'tune'], {
        cwd: folder,
        env: { ...env, GLOCAL_ADDRESS: address },
      });
      expect(tuned.stdout).toMatch(/^COMPLETED, test accuracy 0\.\d+$/m);
      expect(readFileSync(join(folder, 'schedule.csv'), 'utf8')).toMatch(/^step,lr,beta,weightDecay/);
    } finally {
      process.kill(-(serving.pid ?? 0), 'SIGINT');
      await serving;
    }
  }, 600_000);
});
