/** Brings TensorFlow's libraries and C headers into the cache, with the user's own package client. */

import { createWriteStream } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { LIBRARIES, platform, runtimeFolder, sha256, TENSORFLOW_VERSION } from './native-runtime.ts';

/** The runtime cannot be set up here; the message is one line that says why. */
export class NativeSetupError extends Error {
  override readonly name = 'NativeSetupError';
}

export type Log = (line: string) => void;

const DOWNLOAD_TIMEOUT_MS = 20 * 60_000;
/** Headers that the addon includes, directly or through others. */
const HEADER = /^tensorflow\/include\/((?:tensorflow\/(?:c|compiler|core)|xla|tsl)\/.*\.h)$/;
const LIBRARY = /^tensorflow\/(libtensorflow_(?:cc|framework)\.so\.2)$/;

/**
 * The folder with `lib/` and `include/`, downloaded once for each user.
 * @throws NativeSetupError
 */
export async function ensureLibraries(log: Log): Promise<string> {
  const folder = runtimeFolder();
  if (await exists(folder)) return folder;
  if (LIBRARIES[platform()] === undefined) {
    throw new NativeSetupError(`there is no native runtime for ${platform()}`);
  }
  await mkdir(dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}.new-`);
  try {
    log(`downloading TensorFlow ${TENSORFLOW_VERSION} (274 MB, once for this user) with pip`);
    const wheel = await downloadWheel(work);
    log('unpacking and checking');
    await unpack(wheel, join(work, 'runtime'));
    await verify(join(work, 'runtime', 'lib'));
    await rename(join(work, 'runtime'), folder).catch(async (error: unknown) => {
      // Another process was faster.
      if (!(await exists(folder))) throw error;
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** pip fetches the wheel whatever Python runs it: no Python is needed to use what is inside. */
async function downloadWheel(destination: string): Promise<string> {
  const args = [
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--python-version=3.11',
    '--platform=manylinux_2_27_x86_64',
    '--disable-pip-version-check',
    '--quiet',
    `--dest=${destination}`,
    `tensorflow-cpu==${TENSORFLOW_VERSION}`,
  ];
  const clients = [['pip'], ['pip3'], ['python3', '-m', 'pip']] as const;
  let failure = 'pip is not installed';
  for (const [command, ...first] of clients) {
    const result = await execa(command, [...first, ...args], { reject: false, timeout: DOWNLOAD_TIMEOUT_MS });
    if (!result.failed) {
      const wheel = (await readdir(destination)).find((name) => name.endsWith('.whl'));
      if (wheel !== undefined) return join(destination, wheel);
    }
    if (result.code !== 'ENOENT' && !/No module named pip/.test(result.stderr)) {
      failure = `${command} download failed: ${result.stderr.trim().split('\n').at(-1) || result.shortMessage}`;
    }
  }
  throw new NativeSetupError(failure);
}

/** Takes libraries and headers out of the wheel, which is a zip file. */
async function unpack(wheel: string, destination: string): Promise<void> {
  const zip = await openZip(wheel);
  try {
    for await (const entry of entries(zip)) {
      const [, header] = entry.fileName.match(HEADER) ?? [];
      const [, library] = entry.fileName.match(LIBRARY) ?? [];
      if (header === undefined && library === undefined) continue;
      const target = join(destination, header === undefined ? 'lib' : 'include', header ?? library ?? '');
      await mkdir(dirname(target), { recursive: true });
      await pipeline(await openEntry(zip, entry), createWriteStream(target));
    }
  } finally {
    zip.close();
  }
}

async function verify(folder: string): Promise<void> {
  for (const [name, expected] of Object.entries(LIBRARIES[platform()] ?? {})) {
    const file = join(folder, name);
    const found = (await exists(file)) ? await sha256(file) : 'no such file';
    if (found !== expected) {
      throw new NativeSetupError(
        `${name} in the package is not the expected one: sha256 ${found}, expected ${expected}`,
      );
    }
  }
}

function openZip(file: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(file, { lazyEntries: true, autoClose: false }, (error, zip) =>
      error ? reject(error) : resolve(zip),
    );
  });
}

async function* entries(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      const listeners = { entry: resolve, end: () => resolve(undefined), error: reject };
      for (const [name, listener] of Object.entries(listeners)) {
        zip.removeAllListeners(name);
        zip.once(name, listener as (value?: unknown) => void);
      }
      zip.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}

function openEntry(zip: ZipFile, entry: Entry): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
