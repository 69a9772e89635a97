/** Data sets that users bring: folders of `GLOCAL_DATA_DIR` with a `dataset.json`. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../backend/native-wheel.ts';
import { printable, quoteCell } from '../resource/quote.ts';
import { type Described, labelledExamples, shapeOf } from './arrays.ts';
import { readCsv } from './csv.ts';
import { DataError } from './errors.ts';
import { classCounts, type LabelledExamples, subset } from './examples.ts';
import { givenFolder, unreadable } from './files.ts';
import { readIdx } from './idx.ts';
import { MANIFEST, type Manifest, namedFiles, readManifest, resolveInside } from './manifest.ts';
import { type NumberArray, readNpy, readNpz } from './npy.ts';
import type { Dataset } from './registry.ts';
import { splitStratified } from './split.ts';
import type { DatasetSummary } from './summary.ts';

/** Names that a folder may have to be a data set. */
const ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;
/** A folder directly in `GLOCAL_DATA_DIR`, whatever its name. */
const FOLDER = /^(?!\.{1,2}$)[^/\0]{1,255}$/;

/** A name that was meant to be the manifest's. */
const LIKE_A_MANIFEST = /^dataset\.json/i;

/** What is in `GLOCAL_DATA_DIR`. */
export interface UserDatasets {
  readonly datasets: readonly DatasetSummary[];
  /** Training examples of each class, by the data set's id. */
  readonly classSizes: ReadonlyMap<string, readonly number[]>;
  /** Data sets that cannot be used, and why, by id. */
  readonly broken: ReadonlyMap<string, DataError>;
}

/** Ids of the folders with a manifest, whatever is in it. */
export async function userDatasetIds(): Promise<readonly string[]> {
  return (await foldersWithManifest()).filter((name) => ID.test(name));
}

/** Whether there is a folder with this name and a manifest. */
export const isUserDataset = (id: string): boolean => ID.test(id) && hasManifest(id);

/**
 * Why a folder with a manifest cannot be named as a data set; undefined for any other.
 * @param name of the folder, or anything else that a study names.
 */
export function misnamed(name: string): DataError | undefined {
  if (ID.test(name) || !FOLDER.test(name) || !hasManifest(name)) return undefined;
  return new DataError(
    'MANIFEST',
    `${printable(givenFolder(name) ?? name)} is not used: ${quoteCell(name)} cannot be the name of a data set, which is 1 to 63 lower-case ` +
      `letters, digits, dots, dashes and underscores, a letter or digit first; rename the folder`,
  );
}

async function foldersWithManifest(): Promise<readonly string[]> {
  const root = givenFolder('.');
  const names = root === undefined ? [] : await readdir(root).catch(() => []);
  return names.filter(hasManifest).sort();
}

/** A line for each manifest that nobody would find. */
async function misplacedManifests(): Promise<readonly string[]> {
  const root = givenFolder('.');
  if (root === undefined) return [];
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const lines = entries.some(({ name }) => name === MANIFEST)
    ? [
        `${join(root, MANIFEST)} is not used: it belongs into a folder of its own, whose name is that of the data set`,
      ]
    : [];
  for (const { name } of entries.filter((entry) => entry.isDirectory() && !hasManifest(entry.name))) {
    const files = await readdir(join(root, name)).catch(() => []);
    const meant = files.find((file) => LIKE_A_MANIFEST.test(file));
    if (meant !== undefined) {
      lines.push(
        `${printable(join(root, name, meant))} is not used: a manifest is called ${MANIFEST}; rename it`,
      );
    }
  }
  return lines;
}

function hasManifest(name: string): boolean {
  const folder = givenFolder(name);
  return folder !== undefined && existsSync(join(folder, MANIFEST));
}

/**
 * Reads all data sets, to tell what they are and whether they can be used. One that cannot is logged and left out.
 * @param reserved ids of which there is a data set already.
 */
export async function findUserDatasets(reserved: ReadonlySet<string>, log: Log): Promise<UserDatasets> {
  const datasets: DatasetSummary[] = [];
  const classSizes = new Map<string, readonly number[]>();
  const broken = new Map<string, DataError>();
  for (const line of await misplacedManifests()) log(line);
  for (const id of await foldersWithManifest()) {
    const misnomer = misnamed(id);
    if (misnomer !== undefined) {
      log(misnomer.message);
      broken.set(id, misnomer);
      continue;
    }
    if (reserved.has(id)) {
      log(
        `${join(givenFolder(id) ?? '', MANIFEST)} is not used: ${id} is a data set that Glocal knows; rename the folder`,
      );
      continue;
    }
    try {
      const { info, classSizes: sizes } = describeDataset(await loadUserDataset(id));
      datasets.push({ id, ...info });
      classSizes.set(id, sizes);
    } catch (error) {
      const reason = error instanceof DataError ? error : unreadable(givenFolder(id) ?? id, error);
      log(`data set ${id} is left out: ${reason.message}`);
      broken.set(id, reason);
    }
  }
  return { datasets, classSizes, broken };
}

/**
 * Loads a data set.
 * @param id of which {@link isUserDataset} holds.
 * @throws DataError naming the file and what is wrong in it.
 */
export const loadUserDataset = (id: string): Promise<DescribedDataset> =>
  loadDatasetFolder(givenFolder(id) as string);

/**
 * Files of a data set that are not in its folder any more.
 * @throws DataError when its manifest cannot be used.
 */
export async function missingUserFiles(id: string): Promise<readonly string[]> {
  const folder = givenFolder(id);
  if (folder === undefined || !hasManifest(id)) return [MANIFEST];
  return namedFiles(await readManifest(folder)).filter((file) => !existsSync(join(folder, file)));
}

/** A data set with what its manifest says of it. */
export type DescribedDataset = Dataset & { readonly description: string };

/**
 * Loads the data set of a folder with a manifest.
 * @throws DataError naming the file and what is wrong in it.
 */
export async function loadDatasetFolder(folder: string): Promise<DescribedDataset> {
  const manifest = await readManifest(folder);
  const { train, test } = await readParts(folder, manifest);
  const { description, standardize } = manifest;
  if (test === undefined) return { ...holdOut(train, manifest, folder), description, standardize };
  if (`${test.shape}` !== `${train.shape}`) {
    throw new DataError(
      'MISMATCH',
      `${join(folder, MANIFEST)}: training examples are of shape [${train.shape}], and test examples [${test.shape}]; expected the same`,
    );
  }
  return { train, test, description, standardize };
}

/** What a catalogue says of a data set, but for its id. */
export interface DatasetDescription {
  readonly info: Omit<DatasetSummary, 'id'>;
  /** Training examples of each class. */
  readonly classSizes: readonly number[];
}

export const describeDataset = ({ description, train, test }: DescribedDataset): DatasetDescription => ({
  info: {
    description,
    trainExamples: train.count,
    testExamples: test.count,
    classes: train.classes,
    inputShape: [...train.shape],
  },
  classSizes: classCounts(train),
});

interface Parts {
  readonly train: LabelledExamples;
  /** Undefined when it is to be taken from the training part. */
  readonly test: LabelledExamples | undefined;
}

async function readParts(folder: string, manifest: Manifest): Promise<Parts> {
  const path = (file: string) => resolveInside(folder, file);
  switch (manifest.format) {
    case 'csv':
      return readTables(path, manifest);
    case 'npy':
      return readArrays(manifest, async ({ values, labels }) => ({
        values: await readNpy(await path(values)),
        labels: await readNpy(await path(labels)),
      }));
    case 'npz':
      return readArrays(manifest, async ({ file, values, labels }) => ({
        values: await readNpz(await path(file), values),
        labels: await readNpz(await path(file), labels),
      }));
    case 'idx':
      return readArrays(manifest, async ({ values, labels }) => {
        const images = await readIdx(await path(values), 3);
        // Grey: one channel.
        return {
          values: { ...images, shape: [...images.shape, 1] },
          labels: await readIdx(await path(labels), 1),
        };
      });
  }
}

/** The parts of data in arrays. */
async function readArrays<Part>(
  { train, test, ...described }: Described & { readonly train: Part; readonly test?: Part | undefined },
  read: (part: Part) => Promise<Record<'values' | 'labels', NumberArray>>,
): Promise<Parts> {
  return {
    train: labelledExamples(await read(train), described),
    test: test === undefined ? undefined : labelledExamples(await read(test), described),
  };
}

/** The parts of data in tables; both have the features that the training part has. */
async function readTables(
  path: (file: string) => Promise<string>,
  manifest: Extract<Manifest, { format: 'csv' }>,
): Promise<Parts> {
  const { train, test, classes, inputShape } = manifest;
  const read = async (file: string, wanted: readonly string[] | undefined) => {
    const full = await path(file);
    const { features, labels, values } = await readCsv(full, { ...manifest, features: wanted });
    const shape = shapeOf([features.length], inputShape, full);
    return { features, examples: { count: labels.length, shape, classes: classes.length, values, labels } };
  };
  const trained = await read(train, manifest.features);
  const tested = test === undefined ? undefined : await read(test, trained.features);
  return { train: trained.examples, test: tested?.examples };
}

/** Takes the test part from the training part, stratified by class. */
function holdOut(whole: LabelledExamples, { testFraction = 0, testSeed }: Manifest, folder: string): Dataset {
  const size = Math.round(testFraction * whole.count);
  if (size === 0 || size === whole.count) {
    throw new DataError(
      'TOO_FEW_EXAMPLES',
      `${join(folder, MANIFEST)}: testFraction ${testFraction} takes ${size} of ${whole.count} examples; expected some, but not all`,
    );
  }
  const { train, validation } = splitStratified(whole, { validationExamples: size, seed: testSeed });
  return { train: subset(whole, train), test: subset(whole, validation) };
}
