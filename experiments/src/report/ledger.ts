/** The ledger: where, when and with what each cell of the tables was made. Cells that are there stay as they were written. */

import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Finished } from '../outcome.ts';
import type { Machine } from './machine.ts';

const FILE = 'ledger.jsonl';

/** One cell: one trial, in one row. */
export interface Entry {
  /** `studies/{study}/trials/{trial}` */
  readonly trial: string;
  /** With which it was made, as one would type it. */
  readonly command: string;
  readonly row: string;
  readonly start: number | null;
  readonly seed: number;
  readonly state: string;
  /** Of the server. */
  readonly version: string;
  /** Of the sources; empty outside of a clone. */
  readonly commit: string;
  readonly machine: Machine;
  readonly backend: string;
  /** ISO 8601; when this command saw it ended. */
  readonly time: string;
  readonly seconds: number;
  /** In plain runs, null where it is not known. */
  readonly cost: number | null;
}

/** What is the same for all cells of one command. */
export type Circumstances = Pick<Entry, 'command' | 'version' | 'commit' | 'machine'>;

export class Ledger {
  readonly #path: string;
  readonly #entries: Map<string, Entry>;
  readonly #circumstances: Circumstances;

  private constructor(path: string, entries: readonly Entry[], circumstances: Circumstances) {
    this.#path = path;
    this.#entries = new Map(entries.map((entry) => [cellOf(entry), entry]));
    this.#circumstances = circumstances;
  }

  /** @param folder whose ledger is gone on with. */
  static async open(folder: string, circumstances: Circumstances): Promise<Ledger> {
    const path = `${folder}/${FILE}`;
    return new Ledger(path, await readEntries(path), circumstances);
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  /** Writes what is not in it yet. */
  async add({ arm, trials }: Finished): Promise<void> {
    const added = trials
      .filter(({ trial }) => !this.#entries.has(cellOf({ trial, row: arm.id })))
      .map(
        ({ trial, start = null, seed, state, backend, seconds, cost = null }): Entry => ({
          ...{ trial, row: arm.id, start, seed, state, backend, seconds, cost },
          ...{ ...this.#circumstances, time: new Date().toISOString() },
        }),
      );
    for (const entry of added) this.#entries.set(cellOf(entry), entry);
    if (added.length === 0) return;
    const lines = this.entries.map((entry) => `${JSON.stringify(entry)}\n`);
    await writeFile(`${this.#path}.new`, lines.join(''));
    await rename(`${this.#path}.new`, this.#path);
  }
}

/** A trial whose weights are read out in several ways is a cell of several rows. */
const cellOf = ({ trial, row }: Pick<Entry, 'trial' | 'row'>): string => `${trial} ${row}`;

async function readEntries(path: string): Promise<Entry[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);
}
