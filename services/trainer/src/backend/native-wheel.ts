/** Fetches the wheel that holds TensorFlow with the user's own pip, and takes libraries and C headers out of it. */

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import type { Entry } from 'yauzl';
import { SET_UP } from '../resource/installation.ts';
import { NativeSetupError } from './errors.ts';
import { type NativeWheel, TENSORFLOW_VERSION } from './native-runtime.ts';
import { openZip, type ZipReader } from './zip.ts';

/** Takes one line at a time, for people. */
export type Log = (line: string) => void;

const DOWNLOAD_TIMEOUT_MS = 20 * 60_000;
const PROGRESS_INTERVAL_MS = 1_000;
const INSTALL_PIP = `install pip (on Debian: apt-get install python3-pip), then ${SET_UP}`;

/** Ways to call pip, the first that exists is used. */
const CLIENTS: readonly (readonly [string, ...string[]])[] = [
  ['pip'],
  ['pip3'],
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
];

/** Inside the wheel; the last is what the headers of TensorFlow's C API include, and no more. */
const LIBRARY = /^tensorflow\/(libtensorflow_\w+\.so\.2)$/;
/** Of TensorFlow, and of what is built into its libraries: for whoever passes them on. */
export const LICENCES: Readonly<Record<string, string>> = {
  'tensorflow/include/LICENSE': 'LICENSE',
  'tensorflow/THIRD_PARTY_NOTICES.txt': 'THIRD_PARTY_NOTICES.txt',
};
const HEADER =
  /^tensorflow\/include\/((?:tensorflow\/c\/|tensorflow\/core\/platform\/ctstring|tsl\/platform\/ctstring|xla\/tsl\/c\/)[\w/]*\.h)$/;

/**
 * Downloads the wheel into `destination`. pip takes a mirror or a proxy from the user's own settings; it fetches the
 * wheel for the named system whatever Python runs it.
 * @returns the wheel's path.
 * @throws NativeSetupError DOWNLOAD
 */
export async function downloadWheel(wheel: NativeWheel, destination: string, log: Log): Promise<string> {
  const what = `${wheel.distribution} ${TENSORFLOW_VERSION}`;
  const args = [`--platform=${wheel.platformTag}`, `${wheel.distribution}==${TENSORFLOW_VERSION}`];
  return download(args, { destination, what, megabytes: wheel.megabytes, log });
}

/** Something for pip to download. */
interface Download {
  readonly destination: string;
  /** For people. */
  readonly what: string;
  readonly megabytes: number;
  readonly log: Log;
}

/**
 * Calls pip for wheels of other systems' Pythons, without what they need.
 * @param wanted what it is told of platforms and packages.
 * @returns the path of the first wheel.
 * @throws NativeSetupError DOWNLOAD
 */
export async function download(
  wanted: readonly string[],
  { destination, what, megabytes, log }: Download,
): Promise<string> {
  const temporary = join(destination, 'tmp');
  await mkdir(temporary, { recursive: true });
  const args = [
    ...['download', '--no-deps', '--only-binary=:all:', '--python-version=3.11'],
    ...['--disable-pip-version-check', '--quiet', `--dest=${destination}`],
    ...wanted,
  ];
  let failure: NativeSetupError | undefined;
  for (const [command, ...first] of CLIENTS) {
    const stopProgress = process.stderr.isTTY ? showProgress(destination, megabytes, log) : undefined;
    const result = await callPip([command, ...first], args, temporary);
    stopProgress?.();
    const file = (await readdir(destination)).find((name) => name.endsWith('.whl'));
    if (!result.failed && file !== undefined) return join(destination, file);
    if (isMissing(result)) continue;
    failure ??= new NativeSetupError(
      'DOWNLOAD',
      `${[command, ...first].join(' ')} could not download ${what}: ${whyFailed(result)}`,
      `${SET_UP} (it uses pip with your settings: index, proxy, certificates)`,
    );
  }
  throw failure ?? new NativeSetupError('DOWNLOAD', 'pip, which downloads it, is not installed', INSTALL_PIP);
}

type Outcome = Awaited<ReturnType<typeof callPip>>;

function callPip([command = '', ...first]: readonly string[], args: readonly string[], temporary: string) {
  return execa(command, [...first, ...args], {
    reject: false,
    timeout: DOWNLOAD_TIMEOUT_MS,
    // On the cache's own disk: /tmp may be too small, and it is where the progress is read.
    env: { TMPDIR: temporary },
  });
}

/** Whether there is no pip behind this name; 127 is what version managers' shims answer. */
function isMissing(result: Outcome): boolean {
  return result.code === 'ENOENT' || result.exitCode === 127 || /No module named '?pip/.test(result.stderr);
}

function whyFailed(result: Outcome): string {
  if (result.timedOut) return `not finished after ${DOWNLOAD_TIMEOUT_MS / 60_000} minutes`;
  const lines = result.stderr.trim().split('\n');
  const error = lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1);
  return error?.replace(/^ERROR: /, '') || (result.shortMessage ?? 'no reason given');
}

/** Tells each tenth of the download; returns a function that stops it. */
function showProgress(folder: string, megabytes: number, log: Log): () => void {
  let told = 0;
  const timer = setInterval(async () => {
    const tenths = Math.floor((await sizeOf(folder)) / 1e6 / (megabytes / 10));
    if (tenths <= told || tenths >= 10) return;
    told = tenths;
    log(`downloaded ${Math.round((megabytes * tenths) / 10)} of ${megabytes} MB`);
  }, PROGRESS_INTERVAL_MS);
  return () => clearInterval(timer);
}

/** Bytes of all files in a folder whose files come and go. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = entries.map((name) =>
    stat(join(folder, name)).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((a, b) => a + b, 0);
}

/**
 * Writes the wheel's libraries to `lib/` and its C headers to `include/`, checks their sha256 on the way, and puts the
 * licences beside them.
 * @throws NativeSetupError CHECKSUM when a library, a header or a licence is missing, or a library or header is another one than
 *   expected.
 */
export async function unpackWheel(
  file: string,
  { libraries, headers }: Pick<NativeWheel, 'libraries' | 'headers'>,
  folder: string,
): Promise<void> {
  const sums = new Map<string, string>();
  const missing = new Set([...Object.keys(libraries), ...Object.values(LICENCES)]);
  const zip = await openZip(file);
  try {
    for await (const entry of zip.eachEntry()) {
      const library = LIBRARY.exec(entry.fileName)?.[1];
      const header = HEADER.exec(entry.fileName)?.[1];
      const licence = LICENCES[entry.fileName];
      if (library !== undefined && library in libraries) {
        const found = await extract(zip, entry, join(folder, 'lib', library));
        if (found !== libraries[library]) throw foreign(`${library} has sha256 ${found}`);
        missing.delete(library);
      } else if (header !== undefined) {
        sums.set(header, await extract(zip, entry, join(folder, 'include', header)));
      } else if (licence !== undefined) {
        await extract(zip, entry, join(folder, licence));
        missing.delete(licence);
      }
    }
  } finally {
    zip.close();
  }
  if (missing.size > 0) throw foreign(`it lacks ${[...missing].join(', ')}`);
  const found = headersSha256(sums);
  if (found !== headers) throw foreign(`its C headers have sha256 ${found} in all`);
}

/**
 * One sum for all headers: that of the lines `<sha256>  <path>`, in the order of the paths.
 * @param sums sha256 of each header by its path below `include/`.
 */
export function headersSha256(sums: ReadonlyMap<string, string>): string {
  const lines = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, sum]) => `${sum}  ${path}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

const foreign = (difference: string): NativeSetupError =>
  new NativeSetupError(
    'CHECKSUM',
    `the wheel is not the original of TensorFlow ${TENSORFLOW_VERSION}: ${difference}`,
    `${SET_UP}, with a package index that has the original`,
  );

/** Writes one file of the zip; returns its sha256. */
export async function extract(zip: ZipReader, entry: Entry, target: string): Promise<string> {
  const hash = createHash('sha256');
  await mkdir(dirname(target), { recursive: true });
  await pipeline(
    await zip.openReadStreamPromise(entry),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(target),
  );
  return hash.digest('hex');
}
