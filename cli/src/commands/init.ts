/** `glocal init`: a small project that runs. */

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { CommandError, FAILED } from '../exit.ts';
import {
  commandLines,
  installation,
  type Manifest,
  PROGRAM,
  readme,
  STUDY,
  withProject,
} from '../init/project.ts';
import { shellWord } from '../invocation.ts';
import { leaf, print } from '../output.ts';
import { makeFolder, writing } from '../writing.ts';

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
      const folders = [process.cwd(), ...installation(import.meta.dirname)];
      const around = await Promise.all(
        folders.map(async (other) => ({
          folder: other,
          manifest: await readManifest(join(other, MANIFEST)),
        })),
      );
      const manifest = withProject(await readManifest(join(folder, MANIFEST)), folder, around);
      const files = {
        'study.yaml': STUDY,
        'tune.mjs': PROGRAM,
        'README.md': readme(basename(folder), manifest),
      };
      const there = Object.keys(files).filter((file) => existsSync(join(folder, file)));
      if (there.length > 0 && !force) {
        throw new CommandError(`${there.join(', ')}: already in ${folder}; --force writes over`, FAILED);
      }
      const written = { ...files, [MANIFEST]: `${JSON.stringify(manifest, null, 2)}\n` };
      await writing('[folder]', async () => {
        await makeFolder(folder);
        for (const [file, text] of Object.entries(written)) await writeFile(join(folder, file), text);
      });
      print(json, { folder, files: Object.keys(written) }, () => next(folder, files, manifest));
    });

function next(folder: string, files: object, manifest: Manifest): string {
  const there = relative(process.cwd(), folder);
  const { serve, tune } = commandLines(manifest);
  const lines = [...(there === '' ? [] : [`cd ${shellWord(there)}`]), 'npm install', serve, tune];
  const names = Object.keys(files).join(', ');
  return `${names} are in ${folder}, and ${MANIFEST} has what they need. Now:\n\n${lines.map((line) => `  ${line}`).join('\n')}`;
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
