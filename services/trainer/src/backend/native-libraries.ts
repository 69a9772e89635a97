/** TensorFlow's libraries and C headers in the user's cache, shared by all checkouts. */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type NativeWheel, TENSORFLOW_VERSION } from './native-runtime.ts';
import { downloadWheel, type Log, unpackWheel } from './native-wheel.ts';

/** Older folders of unfinished work belong to nobody: a download is given up after 20 minutes. */
const ABANDONED_AFTER_MS = 60 * 60_000;
const READ_BYTES = 1024 * 1024;

/**
 * Fills `folder` with `lib/` and `include/`, unless it has the original ones: downloaded once for a user. Processes that
 * do so at the same time do not disturb each other: each works in a folder of its own, which gets its name at the end.
 * @throws NativeSetupError DOWNLOAD, CHECKSUM
 */
export async function ensureLibraries(wheel: NativeWheel, folder: string, log: Log): Promise<void> {
  if (await isOriginal(folder, wheel)) return;
  await mkdir(dirname(folder), { recursive: true });
  await removeAbandoned(folder);
  const work = await mkdtemp(`${folder}.new-`);
  try {
    log(`downloading TensorFlow ${TENSORFLOW_VERSION} (${wheel.megabytes} MB, once for this user)`);
    const file = await downloadWheel(wheel, work, log);
    log('unpacking and checking TensorFlow');
    await unpackWheel(file, wheel.libraries, join(work, 'runtime'));
    if (await isOriginal(folder, wheel)) return;
    await rm(folder, { recursive: true, force: true });
    await rename(join(work, 'runtime'), folder).catch(async (error: unknown) => {
      // Another process was faster.
      if (!(await isOriginal(folder, wheel))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Whether all is there, and the libraries have the sha256 that they should have: about a second. */
async function isOriginal(folder: string, wheel: NativeWheel): Promise<boolean> {
  const libraries = Object.entries(wheel.libraries).map(
    ([name, sha256]) => [join(folder, 'lib', name), sha256] as const,
  );
  if (![join(folder, 'include'), ...libraries.map(([file]) => file)].every((file) => existsSync(file)))
    return false;
  for (const [file, sha256] of libraries) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(file, { highWaterMark: READ_BYTES }), hash);
    if (hash.digest('hex') !== sha256) return false;
  }
  return true;
}

/** A killed process leaves its folder, of up to 1.2 GB, behind. */
async function removeAbandoned(folder: string): Promise<void> {
  const siblings = await readdir(dirname(folder));
  for (const name of siblings.filter((sibling) => sibling.startsWith(`${basename(folder)}.new-`))) {
    const path = join(dirname(folder), name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
