/**
 * Where the files of artifacts lie: a folder each, named by the artifact's id. Without a store of objects the folder beside
 * the store is where they are kept; with one it is a cache, which each server and worker has of its own.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Artifact, ArtifactFile } from '@glocal/proto/glocal/v1/study_service';
import type { ObjectStore } from '../objects/store.ts';
import { newId } from '../resource/ids.ts';
import { artifactName } from '../resource/names.ts';
import { quote } from '../resource/quote.ts';
import { ArtifactError } from './errors.ts';

/** What has not arrived as a whole. */
const INCOMPLETE = '.incomplete';
/** An upload in parts that has not come to its end by then never will. */
const UNFINISHED_MS = 24 * 60 * 60 * 1_000;

export class ArtifactRoot {
  readonly path: string;
  /** Objects `ID/SHA256`, one for each content. */
  readonly #objects: ObjectStore | undefined;
  /** By name: what is being fetched. */
  readonly #fetching = new Map<string, Promise<void>>();

  /**
   * @param path of the folder, which is made when it is needed.
   * @param objects where the files are kept; undefined for in the folder itself.
   */
  constructor(path: string, objects?: ObjectStore) {
    this.path = path;
    this.#objects = objects;
  }

  /** Of one file; undefined for any size. */
  get maxFileBytes(): number | undefined {
    return this.#objects?.maxBytes;
  }

  /** Folder of an artifact. @param name its resource name. */
  folderOf(name: string): string {
    return join(this.path, idOf(name));
  }

  /** A new folder for files that arrive. */
  async begin(): Promise<string> {
    const folder = join(this.path, `${newId().toLowerCase()}${INCOMPLETE}`);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** Makes a folder that {@link begin} gave the artifact's own; durable when it resolves. */
  async publish(folder: string, name: string, files: readonly ArtifactFile[]): Promise<void> {
    if (this.#objects !== undefined) {
      for (const { path, sha256 } of files) {
        await this.#objects.putFile(`${idOf(name)}/${sha256}`, join(folder, path));
      }
    }
    await syncFolder(folder);
    await rename(folder, this.folderOf(name));
    await syncFolder(this.path);
  }

  /**
   * Resolves when the files of an artifact are in its folder.
   * @throws ArtifactError when they are gone or damaged, and what the store of objects throws.
   */
  async fetch(artifact: Artifact): Promise<void> {
    const { name } = artifact;
    const objects = this.#objects;
    if (objects === undefined || (await isThere(this.folderOf(name)))) return;
    const fetching = this.#fetching.get(name) ?? this.#fetch(objects, artifact);
    this.#fetching.set(name, fetching);
    try {
      await fetching;
    } finally {
      this.#fetching.delete(name);
    }
  }

  /** Removes an artifact's files, wherever they are. */
  async remove(name: string): Promise<void> {
    await rm(this.folderOf(name), { recursive: true, force: true });
    await this.#objects?.removeAll(`${idOf(name)}/`);
  }

  /**
   * Removes what nobody knows: what an earlier server had no time to remove.
   * @param isKnown whether there is an artifact of this name.
   * @param unknownBefore only that to which nothing was added since: other servers put files before there is an artifact.
   */
  async discardUnknown(isKnown: (name: string) => Promise<boolean>, unknownBefore: Date): Promise<void> {
    const entries = await readdir(this.path, { withFileTypes: true }).catch(() => []);
    for (const { name } of entries.filter((entry) => entry.isDirectory())) {
      const path = join(this.path, name);
      if (!name.endsWith(INCOMPLETE) && (await isKnown(artifactName(name)))) continue;
      if ((await lastChange(path)) < unknownBefore) await rm(path, { recursive: true, force: true });
    }
    if (this.#objects !== undefined) await this.#discardObjects(this.#objects, isKnown, unknownBefore);
  }

  async #discardObjects(
    objects: ObjectStore,
    isKnown: (name: string) => Promise<boolean>,
    unknownBefore: Date,
  ): Promise<void> {
    const last = new Map<string, Date>();
    for await (const { key, modified } of objects.list('')) {
      const [id = '', ...others] = key.split('/');
      if (others.length === 1 && (last.get(id) ?? modified) <= modified) last.set(id, modified);
    }
    for (const [id, modified] of last) {
      if (modified >= unknownBefore || (await isKnown(artifactName(id)))) continue;
      await objects.removeAll(`${id}/`);
    }
    await objects.discardIncomplete('', new Date(Date.now() - UNFINISHED_MS));
  }

  async #fetch(objects: ObjectStore, { name, files }: Artifact): Promise<void> {
    const folder = await this.begin();
    try {
      for (const { path, sha256 } of files) {
        const file = join(folder, path);
        if (!(await objects.getFile(`${idOf(name)}/${sha256}`, file))) {
          throw new ArtifactError(`${quote(path)} of ${name} is gone from where it was kept`);
        }
        const found = await sha256Of(file);
        if (found !== sha256) {
          throw new ArtifactError(
            `${quote(path)} of ${name} is damaged where it is kept: its SHA-256 is ${found}, not ${sha256}`,
          );
        }
      }
      await rename(folder, this.folderOf(name));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      // Another server of this machine was faster.
      if (await isThere(this.folderOf(name))) return;
      throw error;
    }
  }
}

const idOf = (name: string): string => name.slice('artifacts/'.length);

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Of a folder, or of a file in it. Of one that is removed meanwhile, the beginning of all time. */
async function lastChange(folder: string): Promise<Date> {
  const names = await readdir(folder).catch(() => []);
  const paths = [folder, ...names.map((name) => join(folder, name))];
  const times = paths.map((path) =>
    stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    ),
  );
  return new Date(Math.max(...(await Promise.all(times))));
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Makes names in a folder durable. Windows cannot open a folder, and needs no such step. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using folder = await open(path);
  await folder.sync();
}
