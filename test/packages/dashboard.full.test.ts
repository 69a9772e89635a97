/** The dashboard's package as tools see it, and as it runs where it is installed. */

import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensurePackages } from '../../scripts/steps/packages.ts';
import { withoutSettings } from '../support/environment.ts';
import { emptyFolder, install, tarballsIn, tool } from './packed.ts';

const cleanUp = new AsyncDisposableStack();
let folder: string;
let tarballs: ReadonlyMap<string, string>;

beforeAll(async () => {
  await ensurePackages();
  folder = cleanUp.use(await emptyFolder()).path;
  tarballs = await tarballsIn(join(folder, 'tarballs'), ['sdk', 'dashboard/dist', 'cli/dist']);
}, 300_000);
afterAll(() => cleanUp.disposeAsync());

describe("the dashboard's package", () => {
  it.each([
    ['publint', ['run', '--strict']],
    ['attw', ['--no-emoji', '--profile', 'esm-only']],
  ])('is as %s wants it', { timeout: 180_000 }, async (linter, args) => {
    const { exitCode, all } = await tool(folder, linter, [
      ...args,
      tarballs.get('@glocal/dashboard') as string,
    ]);
    expect(exitCode, all).toBe(0);
  });

  it('has the page inside, which the installed command serves while the trainer is away', async () => {
    await install(folder, [...tarballs.values()]);
    const command = execa(
      join(folder, 'node_modules/.bin/glocal'),
      ['dashboard', '--listen', '127.0.0.1:0', '--address', '127.0.0.1:1', '--json'],
      { env: withoutSettings(), reject: false },
    );
    const lines = createInterface({ input: command.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    const { url } = JSON.parse(value as string) as { url: string };
    const page = await (await fetch(url)).text();
    const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(page) ?? [];
    expect((await fetch(new URL(script, url))).status).toBe(200);
    const answer = await fetch(new URL('/api/session', url));
    expect(await answer.json()).toMatchObject({ login: 'none', address: '127.0.0.1:1' });
    command.kill('SIGINT');
    expect((await command).exitCode).toBe(0);
  }, 300_000);
});
