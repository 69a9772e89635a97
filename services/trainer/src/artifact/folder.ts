/** Where the files of artifacts lie: a folder each, named by the artifact's id, beside the store. */

import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../resource/ids.ts';
import { artifactName } from '../resource/names.ts';

/** What has not arrived as a whole. */
const INCOMPLETE = '.incomplete';

export class ArtifactRoot {
  readonly path: string;

  /** @param path of the folder, which is made when it is needed. */
  constructor(path: string) {
    this.path = path;
  }

  /** Folder of an artifact. @param name its resource name. */
  folderOf(name: string): string {
    return join(this.path, name.slice('artifacts/'.length));
  }

  /** A new folder for files that arrive. */
  async begin(): Promise<string> {
    const folder = join(this.path, `${newId().toLowerCase()}${INCOMPLETE}`);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** Makes a folder that {@link begin} gave the artifact's own; durable when it resolves. */
  async publish(folder: string, name: string): Promise<void> {
    await syncFolder(folder);
    await rename(folder, this.folderOf(name));
    await syncFolder(this.path);
  }

  /** Removes an artifact's folder. */
  async remove(name: string): Promise<void> {
    await rm(this.folderOf(name), { recursive: true, force: true });
  }

  /**
   * Removes what an earlier server had no time to remove.
   * @param isKnown whether there is an artifact of this name.
   */
  async discardLeftOver(isKnown: (name: string) => Promise<boolean>): Promise<void> {
    const entries = await readdir(this.path, { withFileTypes: true }).catch(() => []);
    for (const { name } of entries.filter((entry) => entry.isDirectory())) {
      if (!name.endsWith(INCOMPLETE) && (await isKnown(artifactName(name)))) continue;
      await rm(join(this.path, name), { recursive: true, force: true });
    }
  }
}

/** Makes names in a folder durable. Windows cannot open a folder, and needs no such step. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using folder = await open(path);
  await folder.sync();
}
