/** The packages as others get them: packed, and installed in folders that have nothing else. */

import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { packAll } from '../../scripts/steps/packages.ts';

export const root = join(import.meta.dirname, '../..');

/** An empty folder with its manifest; it is removed in the end. */
export async function emptyFolder() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'glocal-install-'));
  await writeFile(join(folder.path, 'package.json'), JSON.stringify({ name: 'empty', private: true }));
  return folder;
}

/**
 * Packs into a folder, and gives the tarballs by the names of their packages.
 * @param packages their folders; all by default.
 */
export async function tarballsIn(
  folder: string,
  packages?: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const tarballs = await packAll(folder, packages);
  const nameOf = async (tarball: string): Promise<string> => {
    const { stdout } = await execa('tar', ['-xzOf', tarball, 'package/package.json']);
    return JSON.parse(stdout).name;
  };
  return new Map(
    await Promise.all(tarballs.map(async (tarball) => [await nameOf(tarball), tarball] as const)),
  );
}

/** Runs a tool of the checkout in a folder, whatever it says. */
export const tool = (folder: string, command: string, args: readonly string[]) =>
  execa(command, args, { cwd: folder, preferLocal: true, localDir: root, reject: false, all: true });

/** Installs as a user would, with what npm runs then, whatever npm has told this process of the checkout's settings. */
export const install = (folder: string, packages: readonly string[]) =>
  execa('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], {
    cwd: folder,
    env: { npm_config_ignore_scripts: 'false' },
  });
