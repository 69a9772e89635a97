/** Where checkpoints are: those of a trial by the numbers of their outer steps, in a folder each. */

import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { studyOf } from '../resource/names.ts';

/** The checkpoints of one trial. */
export interface Checkpoints {
  /** Durable when it resolves; then it replaces one of the same index, and before that it changes nothing. */
  put(index: number, bytes: Uint8Array): Promise<void>;
  get(index: number): Promise<Uint8Array | undefined>;
  /** Ascending. */
  list(): Promise<number[]>;
  remove(index: number): Promise<void>;
  /** Removes what a process that was killed had no time to complete. */
  discardIncomplete(): Promise<void>;
}

const FILE = /^(\d{1,9})\.ckpt$/;
const INCOMPLETE = '.incomplete';

/** Files named by their index: `12.ckpt`. */
export class CheckpointFolder implements Checkpoints {
  readonly path: string;

  /** @param path of the folder, which is made when it is needed. */
  constructor(path: string) {
    this.path = path;
  }

  async put(index: number, bytes: Uint8Array): Promise<void> {
    await mkdir(this.path, { recursive: true });
    const path = this.#file(index);
    // Each process has a name of its own for what is not complete.
    const incomplete = `${path}.${process.pid}${INCOMPLETE}`;
    try {
      await using file = await open(incomplete, 'w');
      await file.writeFile(bytes);
      await file.sync();
      await rename(incomplete, path);
    } catch (error) {
      await rm(incomplete, { force: true });
      throw error;
    }
    // Windows cannot open a folder, and needs no such step.
    if (process.platform === 'win32') return;
    await using folder = await open(this.path);
    await folder.sync();
  }

  async get(index: number): Promise<Uint8Array | undefined> {
    return unlessAbsent(() => readFile(this.#file(index)), undefined);
  }

  async list(): Promise<number[]> {
    const names = await unlessAbsent(() => readdir(this.path), []);
    const indices = names.flatMap((name) => FILE.exec(name)?.[1] ?? []).map(Number);
    return indices.sort((one, other) => one - other);
  }

  /** Bytes of those that are kept, and of what is not complete. */
  async bytes(): Promise<number> {
    const names = await unlessAbsent(() => readdir(this.path), []);
    const sizes = names.map((name) => unlessAbsent(async () => (await stat(join(this.path, name))).size, 0));
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  async remove(index: number): Promise<void> {
    await rm(this.#file(index), { force: true });
  }

  async discardIncomplete(): Promise<void> {
    const names = await unlessAbsent(() => readdir(this.path), []);
    for (const name of names.filter((file) => file.endsWith(INCOMPLETE)))
      await rm(join(this.path, name), { force: true });
  }

  #file(index: number): string {
    return join(this.path, `${index}.ckpt`);
  }
}

/** The folder of all checkpoints of a store: `STUDY/TRIAL/INDEX.ckpt`. */
export class CheckpointRoot {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Folder of a trial. @param trial its resource name. */
  folderOf(trial: string): string {
    const [, study = '', , number = ''] = trial.split('/');
    return join(this.path, study, number);
  }

  /** What is kept of a trial: the outer steps, ascending, and the bytes. */
  async kept(trial: string): Promise<{ readonly outerSteps: number[]; readonly bytes: number }> {
    const folder = new CheckpointFolder(this.folderOf(trial));
    return { outerSteps: await folder.list(), bytes: await folder.bytes() };
  }

  /** Resource names of the trials that have one. */
  async trials(): Promise<string[]> {
    const folders = async (path: string) => {
      const entries = await unlessAbsent(() => readdir(path, { withFileTypes: true }), []);
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    };
    const studies = await folders(this.path);
    const trials = await Promise.all(
      studies.map(async (study) =>
        (await folders(join(this.path, study))).map((trial) => `studies/${study}/trials/${trial}`),
      ),
    );
    return trials.flat();
  }

  /** Removes the checkpoints of a trial. */
  async discard(trial: string): Promise<void> {
    await rm(this.folderOf(trial), { recursive: true, force: true });
    await removeIfEmpty(join(this.path, studyOf(trial).slice('studies/'.length)));
    await removeIfEmpty(this.path);
  }

  /** Removes the checkpoints of all trials of a study. */
  async discardStudy(study: string): Promise<void> {
    await rm(join(this.path, study.slice('studies/'.length)), { recursive: true, force: true });
    await removeIfEmpty(this.path);
  }
}

/** `absent` when there is no such file or folder. */
export async function unlessAbsent<T>(read: () => Promise<T>, absent: T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return absent;
    throw error;
  }
}

async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
