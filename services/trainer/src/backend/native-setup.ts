/** Sets the native runtime up: libraries from the cache, the addon of @tensorflow/tfjs-node compiled against them. */

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { ensureLibraries, type Log, NativeSetupError } from './native-libraries.ts';
import {
  addonFile,
  isNativeInstalled,
  LIBRARIES,
  libraryLinks,
  platform,
  runtimeFolder,
  TENSORFLOW_VERSION,
  tfjsNodeFolder,
} from './native-runtime.ts';

const SELF_CHECK = fileURLToPath(new URL('./self-check.ts', import.meta.url));

/** Whether backend `tensorflow` can be used, and if not, why. */
export type NativeStatus =
  | { readonly installed: true }
  | { readonly installed: false; readonly reason: string };

/**
 * Sets the runtime up unless it is. Never throws for what a machine may lack: training works without, on wasm.
 * @param options.log takes one line at a time, for people.
 * @param options.force even when it is set up already.
 */
export async function setUpNative({
  log,
  force = false,
}: {
  log: Log;
  force?: boolean;
}): Promise<NativeStatus> {
  if (!force && isNativeInstalled()) return { installed: true };
  try {
    const libraries = await ensureLibraries(log);
    log('compiling the TensorFlow addon for Node');
    await compileAddon(libraries);
    await linkLibraries(libraries);
    await selfCheck();
    log(`TensorFlow ${TENSORFLOW_VERSION} is ready`);
    return { installed: true };
  } catch (error) {
    await rm(addonFile(), { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    log(`falling back to wasm, about 15 times slower: ${reason}. To try again: npm run setup`);
    return { installed: false, reason };
  }
}

async function compileAddon(libraries: string): Promise<void> {
  const target = addonFile();
  const binding = join(tfjsNodeFolder(), 'binding');
  const sources = (await readdir(binding))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(binding, name));
  const nodeHeaders = join(
    dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')),
    'include',
  );
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), 'new-'));
  const args = [
    '-shared',
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-DNAPI_VERSION=8',
    `-I${join(libraries, 'include')}`,
    `-I${nodeHeaders}`,
    ...sources,
    ...Object.keys(LIBRARIES[platform()] ?? {}).map((name) => join(libraries, 'lib', name)),
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
    '-o',
    join(work, 'addon.node'),
  ];
  const compilers = process.env['CXX'] ? [process.env['CXX']] : ['c++', 'g++', 'clang++'];
  try {
    for (const compiler of compilers) {
      const result = await execa(compiler, args, { reject: false });
      if (result.code === 'ENOENT') continue;
      if (result.failed) {
        const why =
          result.stderr.split('\n').find((line) => /error/i.test(line)) ?? result.shortMessage ?? '';
        throw new NativeSetupError(`${compiler} failed: ${why.trim()}`);
      }
      await rename(join(work, 'addon.node'), target);
      return;
    }
    throw new NativeSetupError(`no C++ compiler (${compilers.join(', ')}): install g++ or clang`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Links, not copies: the libraries are 814 MiB. */
async function linkLibraries(libraries: string): Promise<void> {
  const folder = libraryLinks();
  await mkdir(folder, { recursive: true });
  for (const name of Object.keys(LIBRARIES[platform()] ?? {})) {
    const link = join(folder, name);
    await rm(link, { force: true });
    await symlink(join(libraries, 'lib', name), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Loads the runtime in a process of its own, where a crash does no harm, and differentiates a convolution. */
async function selfCheck(): Promise<void> {
  const result = await execa(process.execPath, [SELF_CHECK], { reject: false, timeout: 120_000 });
  if (!result.failed) return;
  const last = result.stderr.trim().split('\n').at(-1);
  if (!existsSync(runtimeFolder())) throw new NativeSetupError('the libraries disappeared from the cache');
  throw new NativeSetupError(`the runtime does not load: ${last || result.shortMessage}`);
}
