/** Imports a module of the user's, with this trainer's tfjs and zod, whatever else is installed beside it. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isDefined, type ProblemDefinition } from './define.ts';
import { ProblemError } from './errors.ts';
import { findModule, realFolder } from './folder.ts';
import { placed } from './syntax.ts';

/** What a module imports by these names is ours: a second tfjs would not know the tensors of the first. */
const OURS = /^(@tensorflow\/|@glocal\/trainer\/|zod($|\/))/;

/** Frames of tfjs and of the engine lie between an error and the user's line. */
const STACK_FRAMES = 100;

export interface LoadedModule {
  readonly definition: ProblemDefinition;
  /** Of all of the user's files that it is made of, in lower-case hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Call it with the tfjs backend in use, in a process that may end with it.
 * @throws ProblemError when there is no such module or it exports no problem; and whatever the module throws.
 */
export async function loadModule(folder: string, id: string): Promise<LoadedModule> {
  const root = pathToFileURL((await realFolder(folder)) + sep).href;
  const { path } = await findModule(folder, id);
  const files = new Set<string>();
  Error.stackTraceLimit = STACK_FRAMES;
  registerHooks({
    resolve(specifier, context, next) {
      const isTheirs = context.parentURL?.startsWith(root) === true;
      const from = isTheirs && OURS.test(specifier) ? { ...context, parentURL: import.meta.url } : context;
      const resolved = next(specifier, from);
      if (resolved.url.startsWith(root)) files.add(resolved.url.split('?', 1)[0] as string);
      return resolved;
    },
  });
  const imported = import(pathToFileURL(path).href) as Promise<{ default?: unknown }>;
  const { default: definition } = await imported.catch((error: unknown) => {
    throw placed(
      error,
      [...files].filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url)),
    );
  });
  if (!isDefined(definition)) {
    throw new ProblemError(
      `${path.slice(fileURLToPath(root).length)} exports no problem; expected export default defineProblem({ … })`,
    );
  }
  return { definition, sha256: await sha256Of(files, root) };
}

async function sha256Of(files: ReadonlySet<string>, root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const url of [...files].sort()) {
    const content = await readFile(fileURLToPath(url));
    hash.update(`${JSON.stringify([url.slice(root.length), content.length])}\n`).update(content);
  }
  return hash.digest('hex');
}
