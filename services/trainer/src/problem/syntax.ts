/** Where a file is torn: of JavaScript Node's import() does not say it, unlike of TypeScript. */

import { spawnSync } from 'node:child_process';

const JAVASCRIPT = /\.[cm]?js$/;

/**
 * The same error; when it is of the syntax of one of the files and does not say where, its stack begins with the place, as
 * those that Node prints do.
 * @param files paths of those that may have been read.
 */
export function placed(error: unknown, files: readonly string[]): unknown {
  if (!(error instanceof SyntaxError) || files.some((file) => error.stack?.includes(file))) return error;
  for (const file of files.filter((path) => JAVASCRIPT.test(path))) {
    const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' });
    const place = `${stderr}`.split('\n', 1)[0] ?? '';
    if (!place.startsWith(`${file}:`)) continue;
    error.stack = `${place}\n${error.stack}`;
    return error;
  }
  return error;
}
