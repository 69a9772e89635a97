/** `glocal init`: a small project that runs. */

import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { CommandError, FAILED } from '../exit.ts';
import { type Manifest, PROGRAM, readme, STUDY, withProject } from '../init/project.ts';
import { leaf, print } from '../output.ts';

const MANIFEST = 'package.json';

export const init = (): Command =>
  leaf(
    'init',
    'writes a small project that runs: a study, a program, and how to run them',
    'glocal init first-study',
  )
    .argument('[folder]', 'where to', '.')
    .option('--force', 'also over files that are there')
    .action(async (to: string, { force, json }: { readonly force?: boolean; readonly json?: boolean }) => {
      const folder = resolve(to);
      const name = basename(folder);
      const files = { 'study.yaml': STUDY, 'tune.mjs': PROGRAM, 'README.md': readme(name) };
      const there = Object.keys(files).filter((file) => existsSync(join(folder, file)));
      if (there.length > 0 && !force) {
        throw new CommandError(`${there.join(', ')}: already in ${folder}; --force writes over`, FAILED);
      }
      const before = await readManifest(join(folder, MANIFEST));
      const here = process.cwd();
      const around = { folder: here, manifest: await readManifest(join(here, MANIFEST)) };
      const written = {
        ...files,
        [MANIFEST]: `${JSON.stringify(withProject(before, folder, around), null, 2)}\n`,
      };
      await mkdir(folder, { recursive: true });
      for (const [file, text] of Object.entries(written)) await writeFile(join(folder, file), text);
      print(json, { folder, files: Object.keys(written) }, () => next(folder, Object.keys(written)));
    });

function next(folder: string, files: readonly string[]): string {
  const there = relative(process.cwd(), folder);
  const enter = there === '' ? '' : `  cd ${there}\n`;
  return `${files.join(', ')} are in ${folder}. Now:\n\n${enter}  npm install\n  npm run serve   # in one terminal\n  npm run tune    # in another`;
}

/** That of a project which is there already is kept. */
async function readManifest(path: string): Promise<Manifest> {
  if (!existsSync(path)) return {};
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CommandError(`${path}: ${(error as Error).message}`, FAILED);
  }
}
