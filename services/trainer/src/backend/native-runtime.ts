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

/** A build of TensorFlow: for processors alone, or for NVIDIA's GPUs as well. */
export const RUNTIME_KINDS = ['cpu', 'cuda'] as const;
export type RuntimeKind = (typeof RUNTIME_KINDS)[number];

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
const CPU_WHEELS: Readonly<Record<string, NativeWheel>> = {
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

/** The build for CUDA 12 and cuDNN 9, which `native-cuda.ts` finds. */
const CUDA_WHEELS: Readonly<Record<string, NativeWheel>> = {
  'linux-x64': {
    distribution: 'tensorflow',
    platformTag: 'manylinux_2_27_x86_64',
    megabytes: 573,
    libraries: {
      'libtensorflow_cc.so.2': '2889ecc99d7641620f41a4bea538f4dd4b626f75aa3e12623161ae939054191c',
      'libtensorflow_framework.so.2': '98847c6f0448308159f6d3ff55e13a9e92978598c7fbb34cde63aadf35c6fe84',
    },
    headers: HEADERS,
  },
};

const WHEELS: Readonly<Record<RuntimeKind, Readonly<Record<string, NativeWheel>>>> = {
  cpu: CPU_WHEELS,
  cuda: CUDA_WHEELS,
};

export const platform = (): string => `${process.platform}-${process.arch}`;

/** The wheel for this machine; undefined where TensorFlow publishes none that works here. */
export const nativeWheel = (kind: RuntimeKind = 'cpu'): NativeWheel | undefined => WHEELS[kind][platform()];

/** The build that `GLOCAL_RUNTIME` asks for, a {@link RuntimeKind} if it is right; without it the one that is installed, and at first `cpu`. */
export const requestedRuntime = (): string => process.env.GLOCAL_RUNTIME || (installedRuntime() ?? 'cpu');

/** Of NVIDIA's, those that this process may use: as many as it finds devices. */
export const gpusInMachine = (): number =>
  existsSync('/dev') ? readdirSync('/dev').filter((name) => /^nvidia\d+$/.test(name)).length : 0;

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

/** Where TensorFlow's build for CUDA looks for NVIDIA's libraries, from {@link libraryLinks}: a link into the cache. */
export const cudaLink = (): string => join(dirname(libraryLinks()), 'nvidia');

/** The libraries and headers of this user, shared by all checkouts. `GLOCAL_CACHE_DIR` moves it. */
export function cacheFolder(): string {
  return process.env.GLOCAL_CACHE_DIR || envPaths('glocal', { suffix: '' }).cache;
}

const runtimeName = (kind: RuntimeKind): string =>
  `tensorflow-${TENSORFLOW_VERSION}-${kind === 'cpu' ? '' : `${kind}-`}${platform()}`;

/** Folder of the libraries (`lib/`) and headers (`include/`) in the cache. */
export const runtimeFolder = (kind: RuntimeKind): string => join(cacheFolder(), 'native', runtimeName(kind));

/** Whether backend `tensorflow` can be loaded: what is compiled and linked for this version is in place. Looks at names only. */
export const isNativeInstalled = (): boolean => installedRuntime() !== undefined;

/** The build that backend `tensorflow` would load, wherever the cache was when it was set up. */
export function installedRuntime(): RuntimeKind | undefined {
  const compiled = [addonFile(), quietLoaderFile(), kernelsFile()];
  if (!compiled.every((file) => existsSync(file))) return undefined;
  return RUNTIME_KINDS.find((kind) => {
    const libraries = Object.keys(nativeWheel(kind)?.libraries ?? {});
    return libraries.length > 0 && libraries.every((library) => isLinked(library, kind));
  });
}

function isLinked(library: string, kind: RuntimeKind): boolean {
  const link = join(libraryLinks(), library);
  return existsSync(link) && basename(dirname(dirname(realpathSync(link)))) === runtimeName(kind);
}
