/** The SDK's package as tools and runtimes see it. */

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startScriptedTrainer } from '../sdk/support/scripted-trainer.ts';
import { emptyFolder, install, root, tarballsIn, tool } from './packed.ts';

/** Runtimes other than the one of this test, each a package of npm, and their commands. */
const RUNTIMES = [
  ['node@20', 'node'],
  ['node@22', 'node'],
  ['node@24', 'node'],
  ['bun@1', 'bun'],
] as const;

const cleanUp = new AsyncDisposableStack();
let folder: string;
let tarball: string;
beforeAll(async () => {
  folder = cleanUp.use(await emptyFolder()).path;
  tarball = (await tarballsIn(folder, ['sdk'])).get('@glocal/sdk') as string;
});
afterAll(() => cleanUp.disposeAsync());

describe("the SDK's package", () => {
  it.each([
    ['publint', ['run', '--strict']],
    ['attw', ['--no-emoji']],
  ])('is as %s wants it', { timeout: 180_000 }, async (linter, args) => {
    const { exitCode, all } = await tool(folder, linter, [...args, tarball]);
    expect(exitCode, all).toBe(0);
  });

  describe.each(RUNTIMES)('on %s', (runtime, command) => {
    const place = () => join(folder, runtime);
    const run = (args: readonly string[], env = {}) =>
      execa(join(place(), 'node_modules/.bin', command), args, { cwd: place(), env });
    beforeAll(async () => {
      await execa('mkdir', [place()]);
      await writeFile(join(place(), 'package.json'), JSON.stringify({ name: 'empty', private: true }));
      await install(place(), [tarball, runtime]);
    }, 300_000);

    it("runs the README's program to its end", async () => {
      const server = await startScriptedTrainer();
      try {
        const readme = readFileSync(join(root, 'sdk/README.md'), 'utf8');
        await writeFile(join(place(), 'tune.mjs'), readme.match(/```js\n([\s\S]*?)```/)?.[1] ?? '');
        const { stdout } = await run(['tune.mjs'], { GLOCAL_ADDRESS: server.address });
        expect(stdout).toMatch(/^step 200: lr .*\nCOMPLETED, test accuracy 0\.\d+\nstep,lr,/m);
      } finally {
        await server.stop();
      }
    });

    it('has the same names for require as for import', async () => {
      await writeFile(
        join(place(), 'names.cjs'),
        `const required = Object.keys(require('@glocal/sdk')).sort();
        import('@glocal/sdk').then((imported) => console.log(JSON.stringify([required, Object.keys(imported).sort()])));`,
      );
      const [required, imported] = JSON.parse((await run(['names.cjs'])).stdout);
      expect(required).toContain('GlocalClient');
      expect(required).toEqual(imported);
    });
  });
});
