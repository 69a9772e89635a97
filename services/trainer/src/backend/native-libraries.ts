/** TensorFlow's libraries and C headers in the user's cache, shared by all checkouts. */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type NativeWheel, TENSORFLOW_VERSION } from './native-runtime.ts';
import { downloadWheel, headersSha256, LICENCES, type Log, unpackWheel } from './native-wheel.ts';

/** Older folders of unfinished work belong to nobody: a download is given up after 20 minutes. */
const ABANDONED_AFTER_MS = 60 * 60_000;
const READ_BYTES = 1024 * 1024;
/** To give a folder its name while others do the same. */
const MOST_ATTEMPTS = 10;

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
    await unpackWheel(file, wheel, join(work, 'runtime'));
    await putInPlace(join(work, 'runtime'), folder, join(work, 'replaced'), wheel);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Gives a finished folder its name, unless one that is as good has it: another process was faster. One that is not as good
 * is moved aside, which is atomic as removing it would not be. A process that looks meanwhile may find no folder, and looks
 * again.
 */
async function putInPlace(made: string, folder: string, aside: string, wheel: NativeWheel): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(made, folder);
    } catch (error) {
      if (await isOriginal(folder, wheel)) return;
      if (attempt === MOST_ATTEMPTS) throw error;
    }
    await rename(folder, `${aside}-${attempt}`).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
}

/** Whether all is there with the sha256 that it should have: about a second. */
async function isOriginal(folder: string, wheel: NativeWheel): Promise<boolean> {
  const libraries = Object.entries(wheel.libraries).map(
    ([name, sha256]) => [join(folder, 'lib', name), sha256] as const,
  );
  const files = [
    ...Object.values(LICENCES).map((name) => join(folder, name)),
    ...libraries.map(([file]) => file),
  ];
  if (![join(folder, 'include'), ...files].every((file) => existsSync(file))) return false;
  try {
    for (const [file, sha256] of libraries) {
      if ((await sha256Of(file)) !== sha256) return false;
    }
    return (await headersIn(join(folder, 'include'))) === wheel.headers;
  } catch (error) {
    // Another process replaces the folder.
    if (isMissing(error)) return false;
    throw error;
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: READ_BYTES }), hash);
  return hash.digest('hex');
}

async function headersIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sums = new Map<string, string>();
  for (const file of files) sums.set(relative(folder, file), await sha256Of(file));
  return headersSha256(sums);
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

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
