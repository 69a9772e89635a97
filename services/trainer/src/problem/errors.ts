/** Errors of problems that users bring, with the place in their files. */

import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { printable, startOf } from '../resource/quote.ts';

const LONGEST = 500;

/** A module does not define a problem, or its problem cannot be trained. The message says where and why. */
export class ProblemError extends Error {
  override readonly name: string = 'ProblemError';
}

/** The options of a study do not fit the module's schema. */
export class OptionsError extends ProblemError {
  override readonly name = 'OptionsError';
}

/**
 * The message of an error, with file and line of the first of the user's lines that it passed through, if any.
 * @param folder of the modules, as its real path.
 */
export function located(error: unknown, folder: string): string {
  if (!(error instanceof Error)) return printable(startOf(String(error), LONGEST));
  const message = printable(startOf(error.message.trim(), LONGEST));
  const place = placeIn(error.stack ?? '', folder);
  return place === undefined ? message : `${place}: ${message}`;
}

function placeIn(stack: string, folder: string): string | undefined {
  for (const root of [pathToFileURL(folder + sep).href, folder + sep]) {
    for (const part of stack.split(root).slice(1)) {
      const [, file, line] = /^([^\n:]+):(\d+)/.exec(part) ?? [];
      if (file !== undefined) return `${printable(decodeURIComponent(file))}, line ${line}`;
    }
  }
  return undefined;
}
