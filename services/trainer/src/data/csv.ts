/** Tables in CSV files: a header, numeric features, and one column with the class. */

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { CsvError, type Info, parse } from 'csv-parse';
import { listed, quoteCell } from '../resource/quote.ts';
import { DataError } from './errors.ts';
import { MAX_FILE_BYTES, unreadable } from './files.ts';
import { checkIsText } from './text.ts';

export interface CsvOptions {
  /** Name of the column with the class. Names and texts are compared without blanks around them. */
  readonly label: string;
  /** Texts of the classes, in their order. */
  readonly classes: readonly string[];
  /** Names of the columns to learn from, in their order; by default all but the label, in the file's order. */
  readonly features?: readonly string[] | undefined;
  /** What separates cells, one character. */
  readonly delimiter: string;
}

export interface CsvTable {
  /** Names of the columns. */
  readonly features: readonly string[];
  /** Class of each row. */
  readonly labels: Int32Array;
  /** `[rows, features]`, row-major. */
  readonly values: Float32Array;
}

/** Longest row: an image of 1,000×1,000 pixels and three channels takes about as much. */
const MAX_ROW_CHARACTERS = 2 ** 24;
/** Lines may end in any of these ways, also in different ways within a file. */
const LINE_ENDINGS = ['\r\n', '\n', '\r'];
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** What stands for bytes that are not UTF-8. */
const REPLACED = '\ufffd';
/** How pandas calls a column without a name, such as its index, that it has read and writes again. */
const PANDAS_INDEX = /^Unnamed: \d+$/;

/** A row and what the parser says of it. */
interface Row {
  readonly record: readonly string[];
  readonly info: Info;
}

/** The columns of a file that are used. */
interface Columns {
  /** Names of all columns. */
  readonly names: readonly string[];
  /** Positions of the features. */
  readonly features: readonly number[];
  /** Position of the label. */
  readonly label: number;
}

/**
 * Reads a table row by row. Lines are counted from 1, the header's.
 * @throws DataError UNREADABLE; FORMAT for a row of another length, quotes that do not match, or columns that are missing;
 *   VALUE for a cell that is not a finite number; MISMATCH for a label that is not a class; SIZE.
 */
export async function readCsv(file: string, options: CsvOptions): Promise<CsvTable> {
  const parser = parse({
    bom: true,
    delimiter: options.delimiter,
    info: true,
    max_record_size: MAX_ROW_CHARACTERS,
    record_delimiter: LINE_ENDINGS,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  });
  await checkIsText(file);
  const classes = new Map(options.classes.map((text, label) => [text, label]));
  const values = new FloatList(file);
  const labels: number[] = [];
  let columns: Columns | undefined;
  const take = ({ record, info: { lines } }: Row): void => {
    const at = `${file} line ${lines}`;
    if (columns === undefined) {
      columns = findColumns(record.map(textOf), options, at);
      return;
    }
    const { names, features, label } = columns;
    if (record.length !== names.length) {
      throw new DataError(
        'FORMAT',
        `${at} has ${record.length} cells; expected ${names.length}, as the header has`,
      );
    }
    for (const position of features) {
      values.push(parseNumber(record[position] as string, `${at}, column "${names[position]}"`));
    }
    labels.push(findClass(textOf(record[label] as string), classes, `${at}, column "${names[label]}"`));
  };
  try {
    await pipeline(createReadStream(file), parser, async (rows: AsyncIterable<Row>) => {
      for await (const row of rows) take(row);
    });
  } catch (error) {
    if (error instanceof DataError) throw error;
    if (error instanceof CsvError)
      throw new DataError('FORMAT', `${file}: ${error.message}`, { cause: error });
    throw unreadable(file, error);
  }
  if (columns === undefined || labels.length === 0) {
    const what = columns === undefined ? 'is empty' : 'has no rows';
    throw new DataError('SIZE', `${file} ${what}; expected a header and rows`);
  }
  const { names, features } = columns as Columns;
  return {
    features: features.map((position) => names[position] as string),
    labels: Int32Array.from(labels),
    values: values.toArray(),
  };
}

/** As names in the manifest are read: without blanks around it, its accents in one form. */
const textOf = (cell: string): string => cell.trim().normalize();

function findColumns(names: readonly string[], options: CsvOptions, at: string): Columns {
  const find = (name: string): number => {
    const position = names.indexOf(name);
    if (position === -1) {
      throw new DataError('FORMAT', `${at} has no column ${quoteCell(name)}; it has ${listed(names)}`);
    }
    if (name === '') {
      const remedy = 'give it one, or list the columns to learn from under "features"';
      throw new DataError('FORMAT', `${at}: column ${position + 1} has no name; ${remedy}`);
    }
    if (names.lastIndexOf(name) !== position) {
      throw new DataError('FORMAT', `${at} has two columns ${quoteCell(name)}; expected different names`);
    }
    if (name.includes(REPLACED)) throw notUtf8(at);
    return position;
  };
  const label = find(options.label);
  const indices = options.features === undefined ? names.filter((name) => PANDAS_INDEX.test(name)) : [];
  if (indices.length > 0) {
    throw new DataError(
      'FORMAT',
      `${at}: ${listed(indices)} looks like an index that pandas has written; leave it out, or list the columns to learn ` +
        'from under "features"',
    );
  }
  const features = (options.features ?? names.filter((name) => name !== options.label)).map(find);
  if (features.length === 0) {
    throw new DataError('FORMAT', `${at} has no column but the label; expected at least one feature`);
  }
  return { names, features, label };
}

function parseNumber(cell: string, at: string): number {
  if (!NUMBER.test(cell)) throw new DataError('VALUE', `${at} ${found(cell)}; expected a finite number`);
  const value = Math.fround(Number(cell));
  if (!Number.isFinite(value)) {
    throw new DataError(
      'VALUE',
      `${at} ${found(cell)}; expected a number in the range of float32, to ±3.4e38`,
    );
  }
  return value;
}

function findClass(cell: string, classes: ReadonlyMap<string, number>, at: string): number {
  const label = classes.get(cell);
  if (label === undefined) {
    if (cell.includes(REPLACED)) throw notUtf8(at);
    const known = listed([...classes.keys()]);
    throw new DataError('MISMATCH', `${at} ${found(cell)}; expected one of ${known}`);
  }
  return label;
}

const notUtf8 = (at: string): DataError =>
  new DataError('FORMAT', `${at} is not text in UTF-8; save the file as UTF-8`);

const found = (cell: string): string => (cell === '' ? 'is empty' : `has ${quoteCell(cell)}`);

/** Numbers of which it is not known how many will come. */
class FloatList {
  readonly #file: string;
  #values = new Float32Array(1024);
  #length = 0;

  /** @param file what errors name. */
  constructor(file: string) {
    this.#file = file;
  }

  /** @throws DataError SIZE */
  push(value: number): void {
    if (this.#length === this.#values.length) {
      if (2 * this.#values.byteLength > MAX_FILE_BYTES) {
        throw new DataError(
          'SIZE',
          `${this.#file} has more than ${this.#length} numbers, the most that a table may have`,
        );
      }
      const grown = new Float32Array(2 * this.#values.length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  toArray(): Float32Array {
    return this.#values.slice(0, this.#length);
  }
}
