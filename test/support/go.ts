/** Programs written in Go that tests use, built from the module proxy. Where Go is missing, their tests are skipped. */

import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { execa } from 'execa';

/** Whether Go is installed here. */
export const hasGo: boolean = spawnSync('go', ['version']).status === 0;

/** For the title of a group of tests: why it is skipped, if it is. */
export const whereGoIs: string = hasGo ? '' : ' (skipped: Go is not installed here, https://go.dev/dl)';

/**
 * Builds a program.
 * @param program path of its package, with `@` and a version
 * @param folder where it is put
 * @returns its path
 */
export async function goInstall(program: string, folder: string): Promise<string> {
  await execa('go', ['install', program], { env: { GOBIN: folder } });
  const [path = ''] = program.split('@');
  return join(folder, basename(path));
}
