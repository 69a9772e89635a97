/** The `dataset.json` that describes a user's data set. */

import { join } from 'node:path';
import { z } from 'zod';
import { characters, printable } from '../resource/quote.ts';
import { DataError } from './errors.ts';
import { isInside, readBytes } from './files.ts';
import { decodeText } from './text.ts';

export const MANIFEST = 'dataset.json';
const MAX_MANIFEST_BYTES = 1e6;
const MAX_CLASSES = 100_000;

const path = z.string().min(1);
const arrayName = z.string().min(1);
/** As a table's cells are read: without blanks around it, its accents in one form. */
const name = z.string().trim().normalize().min(1, 'expected a name');

const areDifferent = (names: readonly string[]): boolean => new Set(names).size === names.length;

/** Names, or a number n for the names 0 to n − 1. */
const classes = z
  .union(
    [
      z
        .int()
        .min(2)
        .max(MAX_CLASSES)
        .transform((count) => Array.from({ length: count }, (_, label) => String(label))),
      z.array(name).min(2).max(MAX_CLASSES),
    ],
    { error: 'expected the names of the classes, or their number' },
  )
  .refine(areDifferent, 'expected different names');

const common = {
  description: z
    .string()
    .refine((text) => characters(text) <= 200, 'expected at most 200 characters')
    .default(''),
  classes,
  inputShape: z.array(z.int().min(1)).min(1).max(4).optional(),
  standardize: z.boolean().default(false),
  testFraction: z.number().gt(0).lt(1).optional(),
  testSeed: z.int().min(0).default(0),
};

/** A file of values and a file of labels. */
const pair = z.strictObject({ values: path, labels: path });
/** The names of two arrays in one file. */
const archived = z.strictObject({ file: path, values: arrayName, labels: arrayName });

const manifest = z
  .discriminatedUnion('format', [
    z.strictObject({
      ...common,
      format: z.literal('csv'),
      train: path,
      test: path.optional(),
      label: name,
      features: z.array(name).refine(areDifferent, 'expected different names').optional(),
      delimiter: z
        .string()
        .refine(
          (text) => characters(text) === 1 && !/["\r\n]/.test(text),
          'expected one character that is not a quote or a line end',
        )
        .default(','),
    }),
    z.strictObject({ ...common, format: z.literal('npy'), train: pair, test: pair.optional() }),
    z.strictObject({ ...common, format: z.literal('npz'), train: archived, test: archived.optional() }),
    z.strictObject({ ...common, format: z.literal('idx'), train: pair, test: pair.optional() }),
  ])
  .refine(({ test, testFraction }) => (test === undefined) !== (testFraction === undefined), {
    path: ['test'],
    error: 'expected either test, or testFraction to take the test part from train',
  });

/** What a user says about a data set; `docs/data.md` explains every key. */
export type Manifest = z.infer<typeof manifest>;

/** Paths of the files that a manifest names, relative to its folder. */
export function namedFiles(described: Manifest): readonly string[] {
  const parts = (): (string | undefined)[] => {
    switch (described.format) {
      case 'csv':
        return [described.train, described.test];
      case 'npz':
        return [described.train.file, described.test?.file];
      case 'npy':
      case 'idx':
        return [described.train, described.test].flatMap((part) => [part?.values, part?.labels]);
    }
  };
  return [...new Set(parts().filter((file) => file !== undefined))];
}

/**
 * Reads the manifest of a folder.
 * @throws DataError UNREADABLE, SIZE, or MANIFEST naming every key that is wrong.
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = join(folder, MANIFEST);
  const text = decodeText(await readBytes(file, MAX_MANIFEST_BYTES), file);
  const { success, data, error } = manifest.safeParse(parseJson(text, file));
  if (success) return data;
  const problems = error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new DataError('MANIFEST', `${file} is invalid: ${problems.join('; ')}`);
}

/**
 * The file that a manifest names.
 * @throws DataError MANIFEST when it is outside the manifest's folder, also by a link; UNREADABLE when it is not there.
 */
export async function resolveInside(folder: string, file: string): Promise<string> {
  if (await isInside(folder, file)) return join(folder, file);
  throw new DataError(
    'MANIFEST',
    `${join(folder, MANIFEST)} names ${file}, which is outside its folder; expected a path inside`,
  );
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DataError(
      'MANIFEST',
      `${file} is not JSON: ${printable(error instanceof Error ? error.message : String(error))}`,
      {
        cause: error,
      },
    );
  }
}
