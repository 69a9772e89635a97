/** Objects in a folder: a file each, its path the key. */

import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { newId } from '../resource/ids.ts';
import { ObjectStoreError } from './errors.ts';
import type { FolderLocation } from './location.ts';
import type { ObjectStore, StoredObject } from './store.ts';

const INCOMPLETE = '.incomplete';

export class FolderObjects implements ObjectStore {
  readonly location: FolderLocation;

  /** @param path of the folder, which is made when it is needed. */
  constructor(path: string) {
    this.location = { kind: 'folder', path };
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#complete(key, async (incomplete) => {
      await using file = await open(incomplete, 'w');
      await file.writeFile(bytes);
      await file.sync();
    });
  }

  async putFile(key: string, path: string): Promise<void> {
    await this.#complete(key, async (incomplete) => {
      await copyFile(path, incomplete, constants.COPYFILE_FICLONE);
      await using file = await open(incomplete, 'r+');
      await file.sync();
    });
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return unlessAbsent(() => readFile(this.#file(key)), undefined);
  }

  async getFile(key: string, path: string): Promise<boolean> {
    return unlessAbsent(async () => {
      // Before the copy is begun: it would tell alike of a folder that is missing on the other side.
      await stat(this.#file(key));
      await copyFile(this.#file(key), path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      return true;
    }, false);
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    for (const path of await this.#files(prefix, (name) => !name.endsWith(INCOMPLETE))) {
      // One that is removed meanwhile is none.
      const found = await unlessAbsent(() => stat(path), undefined);
      if (found === undefined) continue;
      const key = relative(this.location.path, path).split(sep).join('/');
      yield { key, bytes: found.size, modified: found.mtime };
    }
  }

  async remove(key: string): Promise<void> {
    await rm(this.#file(key), { force: true });
  }

  async removeAll(prefix: string): Promise<void> {
    const folder = this.#file(prefix);
    await rm(folder, { recursive: true, force: true });
    // Folders that are empty now go, too, up to that of all.
    const depth = prefix.split('/').length - 1;
    let path = folder;
    for (let i = 0; i < depth; i++) {
      path = dirname(path);
      await removeIfEmpty(path);
    }
  }

  async discardIncomplete(prefix: string, before?: Date): Promise<void> {
    for (const path of await this.#files(prefix, (name) => name.endsWith(INCOMPLETE))) {
      const found = await unlessAbsent(() => stat(path), undefined);
      if (found !== undefined && (before === undefined || found.mtime < before))
        await rm(path, { force: true });
    }
  }

  async check(): Promise<void> {
    try {
      await mkdir(this.location.path, { recursive: true });
      await readdir(this.location.path);
    } catch (error) {
      const { path } = this.location;
      throw new ObjectStoreError(
        'refused',
        `the folder ${path} (--objects) cannot be used: ${(error as Error).message}`,
      );
    }
  }

  close(): void {}

  /** Writes to a name of its own, which then becomes that of the object. */
  async #complete(key: string, write: (incomplete: string) => Promise<void>): Promise<void> {
    const path = this.#file(key);
    const folder = dirname(path);
    await mkdir(folder, { recursive: true });
    // Machines that share the folder have processes of the same number.
    const incomplete = `${path}.${newId().toLowerCase()}${INCOMPLETE}`;
    try {
      await write(incomplete);
      await rename(incomplete, path);
    } catch (error) {
      await rm(incomplete, { force: true });
      throw error;
    }
    // Windows cannot open a folder, and needs no such step.
    if (process.platform === 'win32') return;
    await using opened = await open(folder);
    await opened.sync();
  }

  /** Paths of the files below a prefix whose names are wanted. */
  async #files(prefix: string, isWanted: (name: string) => boolean): Promise<string[]> {
    const options = { recursive: true, withFileTypes: true } as const;
    const entries = await unlessAbsent(() => readdir(this.#file(prefix), options), []);
    return entries
      .filter((entry) => entry.isFile() && isWanted(entry.name))
      .map(({ parentPath, name }) => join(parentPath, name));
  }

  #file(key: string): string {
    return join(this.location.path, ...key.split('/').filter((part) => part !== ''));
  }
}

/** `absent` when there is no such file or folder. */
async function unlessAbsent<T>(read: () => Promise<T>, absent: T): Promise<T> {
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
