import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Artifact } from '@glocal/proto/glocal/v1/study_service';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ObjectStoreError } from '../objects/errors.ts';
import { FolderObjects } from '../objects/folder.ts';
import { ArtifactError } from './errors.ts';
import { ArtifactRoot } from './folder.ts';

const NAME = 'artifacts/01abc';
const CONTENT = { 'model.json': '{}', 'weights 1.bin': 'weights', 'empty.csv': '' };
const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');
const files = Object.entries(CONTENT).map(([path, content]) => ({
  ...{ path, size: BigInt(content.length), sha256: sha256(content) },
}));
const artifact = Artifact.fromPartial({ name: NAME, files });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-artifacts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Another machine has another cache. */
const rootOf = (cache: string, objects = new FolderObjects(join(folder, 'objects'))) =>
  new ArtifactRoot(join(folder, cache), objects);

async function upload(root: ArtifactRoot): Promise<void> {
  const begun = await root.begin();
  for (const [path, content] of Object.entries(CONTENT)) writeFileSync(join(begun, path), content);
  await root.publish(begun, NAME, files);
}

const fetched = (root: ArtifactRoot) =>
  Object.fromEntries(
    readdirSync(root.folderOf(NAME)).map((path) => [
      path,
      readFileSync(join(root.folderOf(NAME), path), 'utf8'),
    ]),
  );

describe('the files of an artifact in a store of objects', () => {
  it('are there for every machine, which fetches them once', async () => {
    await upload(rootOf('first'));
    const objects = new FolderObjects(join(folder, 'objects'));
    const get = vi.spyOn(objects, 'getFile');
    const second = rootOf('second', objects);
    await Promise.all([second.fetch(artifact), second.fetch(artifact)]);
    await second.fetch(artifact);
    expect(fetched(second)).toEqual(CONTENT);
    expect(get).toHaveBeenCalledTimes(files.length);
    expect(readdirSync(second.path)).toEqual(['01abc']);
  });

  it('are said to be gone, or damaged, and nothing of them stays in the cache', async () => {
    await upload(rootOf('first'));
    const second = rootOf('second');
    const kept = join(folder, 'objects', '01abc', sha256('weights'));
    writeFileSync(kept, 'weightz');
    await expect(second.fetch(artifact)).rejects.toThrow(ArtifactError);
    await expect(second.fetch(artifact)).rejects.toThrow(
      `"weights 1.bin" of ${NAME} is damaged where it is kept: its SHA-256 is ${sha256('weightz')}, not ${sha256('weights')}`,
    );
    rmSync(kept);
    await expect(second.fetch(artifact)).rejects.toThrow(`"weights 1.bin" of ${NAME} is gone`);
    expect(readdirSync(second.path)).toEqual([]);
    writeFileSync(kept, 'weights');
    await second.fetch(artifact);
    expect(fetched(second)).toEqual(CONTENT);
  });

  it('leave nothing in the cache while they cannot be had', async () => {
    await upload(rootOf('first'));
    const objects = new FolderObjects(join(folder, 'objects'));
    vi.spyOn(objects, 'getFile').mockRejectedValue(new ObjectStoreError('away', 'it is away'));
    const second = rootOf('second', objects);
    await expect(second.fetch(artifact)).rejects.toThrow(ObjectStoreError);
    expect(readdirSync(second.path)).toEqual([]);
  });

  it('are removed everywhere but in the caches of others', async () => {
    const first = rootOf('first');
    await upload(first);
    await first.remove(NAME);
    expect(readdirSync(first.path)).toEqual([]);
    expect(() => readdirSync(join(folder, 'objects'))).toThrow('ENOENT');
  });

  it('are removed when nobody knows them and they are old enough', async () => {
    const first = rootOf('first');
    await upload(first);
    const hourAgo = new Date(Date.now() - 3_600_000);
    const nobody = async () => false;
    await first.discardUnknown(nobody, hourAgo);
    const kept = join(folder, 'objects', '01abc');
    expect(readdirSync(kept)).toHaveLength(files.length);
    for (const name of readdirSync(kept)) utimesSync(join(kept, name), 1, 1);
    await first.discardUnknown(async (name) => name === NAME, hourAgo);
    expect(readdirSync(kept)).toHaveLength(files.length);
    // One that was put lately: an upload goes on.
    utimesSync(join(kept, sha256('weights')), new Date(), new Date());
    await first.discardUnknown(nobody, hourAgo);
    expect(readdirSync(kept)).toHaveLength(files.length);
    utimesSync(join(kept, sha256('weights')), 1, 1);
    await first.discardUnknown(nobody, hourAgo);
    expect(() => readdirSync(kept)).toThrow('ENOENT');
  });
});

describe('the files of an artifact beside the store', () => {
  it('are where they were put', async () => {
    const root = new ArtifactRoot(join(folder, 'all'));
    await upload(root);
    await root.fetch(artifact);
    expect(fetched(root)).toEqual(CONTENT);
    mkdirSync(join(root.path, 'unknown'));
    mkdirSync(join(root.path, 'half.incomplete'));
    // Other servers may use the same folder.
    await root.discardUnknown(async (name) => name === NAME, new Date(Date.now() - 60_000));
    expect(readdirSync(root.path).sort()).toEqual(['01abc', 'half.incomplete', 'unknown']);
    await root.discardUnknown(async (name) => name === NAME, new Date(Date.now() + 1_000));
    expect(readdirSync(root.path)).toEqual(['01abc']);
    await root.remove(NAME);
    expect(readdirSync(root.path)).toEqual([]);
  });
});
