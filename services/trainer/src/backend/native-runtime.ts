/** Where the native TensorFlow runtime lives, and whether it is installed (ARCHITECTURE.md, "Native runtime"). */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import envPaths from 'env-paths';

/** TensorFlow's version; its C API is what the addon of @tensorflow/tfjs-node is compiled against. */
export const TENSORFLOW_VERSION = '2.21.0';

/** The version of every @tensorflow/tfjs package; engine internals are used, so it is pinned. */
export const TFJS_VERSION = '4.22.0';

/** The shared libraries with the sha256 of their bytes, by `process.platform`-`process.arch`. */
export const LIBRARIES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'linux-x64': {
    'libtensorflow_cc.so.2': '6505a4b9657e62100c6bdacb683957a395cb047725042945aaa50e40a71e429e',
    'libtensorflow_framework.so.2': 'f060b323b26ef80add21b9df9428de3aeaf2843d772c5bb098745f7abff3709b',
  },
};

export const platform = (): string => `${process.platform}-${process.arch}`;

/** Folder of @tensorflow/tfjs-node in node_modules. */
export function tfjsNodeFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json'));
}

/** The compiled addon, where @tensorflow/tfjs-node looks for it. */
export const addonFile = (): string => join(tfjsNodeFolder(), 'lib', 'napi-v8', 'tfjs_binding.node');

/** Where the addon looks for the libraries: links into the cache. */
export const libraryLinks = (): string => join(tfjsNodeFolder(), 'deps', 'lib');

/** The libraries and headers of this user, shared by all checkouts. `GLOCAL_CACHE_DIR` moves it. */
export function cacheFolder(): string {
  return process.env['GLOCAL_CACHE_DIR'] || envPaths('glocal', { suffix: '' }).cache;
}

/** Folder of the libraries (`lib/`) and headers (`include/`) in the cache. */
export const runtimeFolder = (): string =>
  join(cacheFolder(), 'native', `tensorflow-${TENSORFLOW_VERSION}-${platform()}`);

/** Whether backend `tensorflow` can be loaded: addon and libraries are in place. Looks at names only. */
export function isNativeInstalled(): boolean {
  const libraries = Object.keys(LIBRARIES[platform()] ?? {});
  if (libraries.length === 0) return false;
  return existsSync(addonFile()) && libraries.every((name) => existsSync(join(libraryLinks(), name)));
}

/** sha256 of a file, hexadecimal. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
