/** The project that `glocal init` writes runs, from this repository; `test/packages` runs it from the tarballs. */

import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { environmentOfGlocal, GLOCAL, glocal, start } from '../support/glocal.ts';
import { deadAddress } from '../support/ports.ts';
import { descendants, expectGone } from '../support/processes.ts';
import { temporaryFolder } from '../support/trainer.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('writes a project whose two commands run', async () => {
  await using folder = await temporaryFolder();
  const project = join(folder.path, 'first');
  const { stdout, exitCode } = await glocal(['init', project]);
  expect(exitCode).toBe(0);
  for (const command of ['npm run serve', 'npm run tune']) {
    expect(stdout).toContain(command);
    expect(await readFile(join(project, 'README.md'), 'utf8')).toContain(command);
  }
  await installFromHere(project);
  const study = join(project, 'study.yaml');
  await writeFile(study, (await readFile(study, 'utf8')).replace('steps: 400', 'steps: 100'));
  const address = await deadAddress();
  const serving = start('npm', ['run', 'serve'], project, {
    GLOCAL_LISTEN: address,
    GLOCAL_STORE: 'memory:',
  });
  await serving.line(/listening on/);
  const started = descendants(serving.running.pid ?? 0);
  try {
    const tuned = await execa('npm', ['run', 'tune'], {
      cwd: project,
      env: environmentOfGlocal({ GLOCAL_ADDRESS: address }),
    });
    expect(tuned.stdout).toMatch(/^step \d+: lr 0\.\d{4}, loss \d/m);
    expect(tuned.stdout).toMatch(/^COMPLETED, test accuracy 0\.\d+$/m);
    expect(await readFile(join(project, 'schedule.csv'), 'utf8')).toMatch(/^step,lr,beta,weightDecay/);
  } finally {
    serving.interrupt();
    await serving.running;
  }
  await expectGone(started);
}, 300_000);

/** As `npm install` would, from this repository. */
async function installFromHere(project: string): Promise<void> {
  const modules = join(project, 'node_modules');
  await mkdir(join(modules, '@glocal'), { recursive: true });
  await mkdir(join(modules, '.bin'));
  for (const [name, path] of [
    ['cli', 'cli'],
    ['sdk', 'sdk'],
    ['trainer', 'services/trainer'],
  ] as const) {
    await symlink(join(root, path), join(modules, '@glocal', name));
  }
  const bin = join(modules, '.bin/glocal');
  await writeFile(bin, `#!/bin/sh\nexec '${process.execPath}' '${GLOCAL}' "$@"\n`);
  await chmod(bin, 0o755);
}
