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

/**
 * Fills `folder` with `lib/` and `include/`, unless it is there: downloaded once for a user. Processes that do so at
 * the same time do not disturb each other: each works in a folder of its own, and the first to finish names it.
 * @param options.verify compares the libraries that are there with their sha256, and replaces them if they differ.
 * @throws NativeSetupError DOWNLOAD, CHECKSUM
 */
export async function ensureLibraries({
  wheel,
  folder,
  verify = false,
  log,
}: {
  wheel: NativeWheel;
  folder: string;
  verify?: boolean;
  log: Log;
}): Promise<void> {
  if (isComplete(folder, wheel) && (!verify || (await isOriginal(folder, wheel)))) return;
  await mkdir(dirname(folder), { recursive: true });
  await removeAbandoned(folder);
  const work = await mkdtemp(`${folder}.new-`);
  try {
    log(`downloading TensorFlow ${TENSORFLOW_VERSION} (${wheel.megabytes} MB, once for this user)`);
    const file = await downloadWheel(wheel, work, log);
    log('unpacking and checking TensorFlow');
    await unpackWheel(file, wheel.libraries, join(work, 'runtime'));
    // What is there is incomplete or damaged, unless another process has just finished.
    if (verify || !isComplete(folder, wheel)) await rm(folder, { recursive: true, force: true });
    await rename(join(work, 'runtime'), folder).catch((error: unknown) => {
      if (!isComplete(folder, wheel)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function isComplete(folder: string, wheel: NativeWheel): boolean {
  const names = [...Object.keys(wheel.libraries).map((name) => join('lib', name)), 'include'];
  return names.every((name) => existsSync(join(folder, name)));
}

async function isOriginal(folder: string, wheel: NativeWheel): Promise<boolean> {
  for (const [name, sha256] of Object.entries(wheel.libraries)) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(folder, 'lib', name)), hash);
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
