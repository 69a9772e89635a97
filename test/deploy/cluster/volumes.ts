/** Volumes of pods as folders of this machine, with the owners and modes that a kubelet gives them. */

import { chmod, chown, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest, Volume, VolumeSource } from '../objects.ts';

/** Where a cluster keeps its Secrets and ConfigMaps: their content by kind and name. */
export type Lookup = (kind: 'Secret' | 'ConfigMap', name: string) => Manifest | undefined;

/** What a pod waits for that is not there; a kubelet says so and tries again. */
export class MissingObjectError extends Error {
  override readonly name = 'MissingObjectError';
}

/** Content of a Secret or ConfigMap, by key. */
export function contentOf({ kind, data = {}, stringData = {} }: Manifest): Map<string, Buffer> {
  const encoding = kind === 'Secret' ? 'base64' : 'utf8';
  return new Map([
    ...Object.entries<string>(data).map(([key, value]) => [key, Buffer.from(value, encoding)] as const),
    ...Object.entries<string>(stringData).map(([key, value]) => [key, Buffer.from(value)] as const),
  ]);
}

interface Part {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  readonly items?: readonly { readonly key: string; readonly path: string }[];
  readonly optional?: boolean;
}

function partsOf({ secret, configMap, projected }: VolumeSource): Part[] | undefined {
  if (secret !== undefined) return [{ ...secret, kind: 'Secret', name: secret.secretName }];
  if (configMap !== undefined) return [{ ...configMap, kind: 'ConfigMap' }];
  return projected?.sources.map((source) => {
    const [kind, part] = source.secret
      ? (['Secret', source.secret] as const)
      : (['ConfigMap', source.configMap] as const);
    if (part === undefined) throw new Error('a projected volume has a source that nothing here knows');
    return { ...part, kind };
  });
}

/** Files of a volume by their path in it; undefined for one that has none of its own. @throws MissingObjectError */
export function filesOf(volume: Volume, lookup: Lookup): Map<string, Buffer> | undefined {
  const parts = partsOf(volume);
  if (parts === undefined) return undefined;
  const files = new Map<string, Buffer>();
  for (const { kind, name, items, optional = false } of parts) {
    const object = lookup(kind, name);
    if (object === undefined && optional) continue;
    if (object === undefined)
      throw new MissingObjectError(`volume ${volume.name}: there is no ${kind} ${name}`);
    const content = contentOf(object);
    for (const { key, path } of items ?? [...content.keys()].map((key) => ({ key, path: key }))) {
      const file = content.get(key);
      if (file === undefined && !optional) {
        throw new MissingObjectError(`volume ${volume.name}: ${kind} ${name} has no key ${key}`);
      }
      if (file !== undefined) files.set(path, file);
    }
  }
  return files;
}

/**
 * Writes files as a kubelet does: links to a folder that is exchanged as a whole, so that a reader has all of the old or all of the new.
 * @param group that may read them, as `fsGroup` says.
 */
export async function writeFiles(
  folder: string,
  files: ReadonlyMap<string, Buffer>,
  { mode = 0o644, group }: { readonly mode?: number | undefined; readonly group?: number | undefined },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const name = `..${Date.now()}`;
  await mkdir(join(folder, name));
  for (const [path, content] of files) {
    const file = join(folder, name, path);
    await writeFile(file, content);
    if (group !== undefined) await chown(file, 0, group);
    await chmod(file, group === undefined ? mode : mode | 0o440);
  }
  const before = (await readdir(folder)).filter((entry) => entry.startsWith('..2') || /^\.\.\d/.test(entry));
  await symlink(name, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  for (const path of files.keys()) {
    await symlink(join('..data', path), join(folder, path)).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  for (const old of before) if (old !== name) await rm(join(folder, old), { recursive: true });
}

/** An empty folder that a pod's group may write to, or everybody where there is none. */
export async function makeFolder(folder: string, group: number | undefined): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (group !== undefined) await chown(folder, 0, group);
  await chmod(folder, group === undefined ? 0o777 : 0o2775);
}
