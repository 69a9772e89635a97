/** The modules of `--problem-dir`: `<id>.ts`, `.mts`, `.js` or `.mjs`, or a folder `<id>` with an index of that kind. */

import { existsSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { listed, quote } from '../resource/quote.ts';
import { ProblemError } from './errors.ts';

const ENDINGS = ['.ts', '.mts', '.js', '.mjs'];
const ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** A module that nothing has been loaded of. */
export interface ModuleFile {
  readonly id: string;
  readonly path: string;
}

/**
 * @returns those that a study may name, in order. Files of another name or ending are nobody's business here.
 * @throws ProblemError when the folder cannot be read, or two modules have one id.
 */
export async function listModules(folder: string): Promise<readonly ModuleFile[]> {
  const root = await realFolder(folder);
  const modules: ModuleFile[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const ending = ENDINGS.find((candidate) => entry.name.endsWith(candidate));
    const isFolder = entry.isDirectory();
    const id = isFolder ? entry.name : entry.name.slice(0, -(ending?.length ?? 0));
    const path = isFolder ? indexOf(join(root, id)) : join(root, entry.name);
    if (path === undefined || (!isFolder && ending === undefined) || !ID.test(id)) continue;
    if (entry.name.endsWith('.d.ts')) continue;
    const other = modules.find((module) => module.id === id);
    if (other !== undefined) {
      throw new ProblemError(`${other.path} and ${path} have the same id, ${id}; rename one`);
    }
    modules.push({ id, path });
  }
  return modules.sort((one, another) => (one.id < another.id ? -1 : 1));
}

/** @throws ProblemError naming those that there are. */
export async function findModule(folder: string, id: string): Promise<ModuleFile> {
  const modules = await listModules(folder);
  const found = modules.find((module) => module.id === id);
  if (found !== undefined) return found;
  const known =
    modules.length === 0 ? 'there is none' : `one of ${listed(modules.map((module) => module.id))}`;
  throw new ProblemError(`unknown module ${quote(id)}; ${known}`);
}

/** @throws ProblemError */
export async function realFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (cause) {
    throw new ProblemError(
      `the folder of problems cannot be read: ${(cause as Error).message}; set --problem-dir (GLOCAL_PROBLEM_DIR) to one that can`,
      { cause },
    );
  }
}

function indexOf(folder: string): string | undefined {
  return ENDINGS.map((ending) => join(folder, `index${ending}`)).find((path) => existsSync(path));
}
