/** A run of the benchmarks as a file: what `--json` writes and `--compare` reads. */

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Row } from './row.ts';

const RUN = z.object({
  /** Machine and programs; files that were written before there were any have none. */
  conditions: z.string().default('unknown conditions'),
  measured: z.string().optional(),
  rows: z.array(
    z.object({
      name: z.string(),
      value: z.number().nullable(),
      unit: z.string(),
      n: z.number(),
      repeats: z.array(z.number().nullable()).optional(),
    }),
  ),
});

export interface Run {
  /** Machine and programs in a line. */
  readonly conditions: string;
  /** When it began, as ISO 8601. */
  readonly measured?: string | undefined;
  readonly rows: readonly Row[];
}

/** A file is not there, or not of a run. */
export class RunFileError extends Error {
  override readonly name = 'RunFileError';
}

/** @throws RunFileError that names the file and says what was expected. */
export function readRun(file: string): Run {
  try {
    const { rows, ...rest } = RUN.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { ...rest, rows: rows.map(({ repeats, ...row }) => ({ ...row, ...known(row.value, repeats) })) };
  } catch (cause) {
    const reason =
      cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : cause;
    throw new RunFileError(`${file} is not what \`npm run bench -- --json FILE\` writes: ${reason}`, {
      cause,
    });
  }
}

/** JSON has null for figures that are not numbers. */
const known = (value: number | null, repeats: readonly (number | null)[] | undefined) => ({
  value: value ?? Number.NaN,
  ...(repeats && { repeats: repeats.map((each) => each ?? Number.NaN) }),
});
