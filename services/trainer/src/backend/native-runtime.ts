/** Where the native TensorFlow runtime comes from and lives, and whether it is installed. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import envPaths from 'env-paths';

/** TensorFlow's version; its C API is what the addon of @tensorflow/tfjs-node is compiled against. */
export const TENSORFLOW_VERSION = '2.21.0';

/** The version of every @tensorflow/tfjs package; engine internals are used, so it is pinned. */
export const TFJS_VERSION = '4.22.0';

/** What slower means, in processor time and on the clock of two cores: LeNet, batch 128 (docs/engine.md). */
export const WASM_COST = '3 to 5 times slower';

/** The Python wheel that has TensorFlow's libraries inside. A wheel is a zip file: no Python is needed to use them. */
export interface NativeWheel {
  /** Name of the package. */
  readonly distribution: string;
  /** Tag of the system that the wheel is for. */
  readonly platformTag: string;
  readonly megabytes: number;
  /** The shared libraries, by name, with the sha256 of their bytes. */
  readonly libraries: Readonly<Record<string, string>>;
  /** sha256 of the list of its C headers (`headersSha256` in `native-wheel.ts`). */
  readonly headers: string;
}

/** The C headers are the same on every system. */
const HEADERS = '03159fee088d8d4bf6844bd380cc0be5a807efc5b2a4246e386ef5f056616536';

/** By `process.platform`-`process.arch`. The arm64 libraries have not been run by us: the self check decides there. */
const WHEELS: Readonly<Record<string, NativeWheel>> = {
  'linux-x64': {
    distribution: 'tensorflow-cpu',
    platformTag: 'manylinux_2_27_x86_64',
    megabytes: 274,
    libraries: {
      'libtensorflow_cc.so.2': '6505a4b9657e62100c6bdacb683957a395cb047725042945aaa50e40a71e429e',
      'libtensorflow_framework.so.2': 'f060b323b26ef80add21b9df9428de3aeaf2843d772c5bb098745f7abff3709b',
    },
    headers: HEADERS,
  },
  'linux-arm64': {
    distribution: 'tensorflow',
    platformTag: 'manylinux_2_27_aarch64',
    megabytes: 282,
    libraries: {
      'libtensorflow_cc.so.2': '5f7de6ba6478ed7b83767a6e661e3e6e6931b05c64db14ba98250e52316a007c',
      'libtensorflow_framework.so.2': 'deade33b9ab90ff468fd1d1f8f6079bec5a3a507cf2d13c3218aa8beec28aeb3',
    },
    headers: HEADERS,
  },
};

export const platform = (): string => `${process.platform}-${process.arch}`;

/** The wheel for this machine; undefined where TensorFlow publishes none that works here. */
export const nativeWheel = (): NativeWheel | undefined => WHEELS[platform()];

/** Folder of @tensorflow/tfjs-node in node_modules. */
export function tfjsNodeFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json'));
}

/** The compiled addon, where @tensorflow/tfjs-node looks for it. */
export const addonFile = (): string => join(tfjsNodeFolder(), 'lib', 'napi-v8', 'tfjs_binding.node');

/** The compiled `quiet-load.cc`. */
export const quietLoaderFile = (): string => join(dirname(addonFile()), 'quiet_load.node');

/** Sources of TensorFlow operations of our own: what stock ones do in several passes over the data, in one. */
export const kernelsFolder = (): string => fileURLToPath(new URL('./native-kernels', import.meta.url));

/** The compiled {@link kernelsFolder}; its name tells of which version, so that an older one is not taken for it. */
export function kernelsFile(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(kernelsFolder()).sort())
    hash.update(readFileSync(join(kernelsFolder(), name)));
  return join(dirname(addonFile()), `glocal_kernels-${hash.digest('hex').slice(0, 16)}.so`);
}

/** Where the addon looks for the libraries: links into the cache. */
export const libraryLinks = (): string => join(tfjsNodeFolder(), 'deps', 'lib');

/** The libraries and headers of this user, shared by all checkouts. `GLOCAL_CACHE_DIR` moves it. */
export function cacheFolder(): string {
  return process.env.GLOCAL_CACHE_DIR || envPaths('glocal', { suffix: '' }).cache;
}

const runtimeName = (): string => `tensorflow-${TENSORFLOW_VERSION}-${platform()}`;

/** Folder of the libraries (`lib/`) and headers (`include/`) in the cache. */
export const runtimeFolder = (): string => join(cacheFolder(), 'native', runtimeName());

/** Whether backend `tensorflow` can be loaded: what is compiled and linked for this version is in place. Looks at names only. */
export function isNativeInstalled(): boolean {
  const libraries = Object.keys(nativeWheel()?.libraries ?? {});
  if (libraries.length === 0) return false;
  const compiled = [addonFile(), quietLoaderFile(), kernelsFile()];
  return compiled.every((file) => existsSync(file)) && libraries.every(isLinked);
}

/** Whether the link leads to the library of this version, wherever the cache was when it was made. */
function isLinked(library: string): boolean {
  const link = join(libraryLinks(), library);
  return existsSync(link) && basename(dirname(dirname(realpathSync(link)))) === runtimeName();
}
