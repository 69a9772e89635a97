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

/**
 * Builds a program of a module that replaces others in its go.mod, which `go install` refuses.
 * @param module with `@` and a version
 * @param program path of its package in the module
 * @param path of the program
 */
export async function goBuild(module: string, program: string, path: string): Promise<void> {
  const { stdout } = await execa('go', ['mod', 'download', '-json', module], { cwd: '/' });
  const { Dir: folder } = JSON.parse(stdout) as { Dir: string };
  await execa('go', ['build', '-o', path, `./${program}`], { cwd: folder });
}
