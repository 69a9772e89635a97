/** Compiles the addon of @tensorflow/tfjs-node and our kernels against TensorFlow's C headers, linked to the libraries. */

import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { SET_UP } from '../resource/installation.ts';
import { NativeSetupError } from './errors.ts';
import {
  addonFile,
  cudaLink,
  kernelsFile,
  kernelsFolder,
  libraryLinks,
  quietLoaderFile,
  tfjsNodeFolder,
} from './native-runtime.ts';

const QUIET_LOADER = fileURLToPath(new URL('./quiet-load.cc', import.meta.url));
const INSTALL_COMPILER = `install g++ (on Debian: apt-get install g++), then ${SET_UP}`;
const FLAGS = ['-shared', '-std=c++17', '-O2', '-fPIC', '-DNAPI_VERSION=8'];

/**
 * The C++ compiler: `CXX`, which may hold arguments too, else the first of c++, g++ and clang++ that runs.
 * @throws NativeSetupError COMPILER
 */
export async function findCompiler(): Promise<string[]> {
  const chosen = process.env.CXX?.split(' ').filter(Boolean);
  const candidates = chosen?.length ? [chosen] : [['c++'], ['g++'], ['clang++']];
  for (const [command = '', ...args] of candidates) {
    const { failed } = await execa(command, [...args, '--version'], { reject: false });
    if (!failed) return [command, ...args];
  }
  const names = candidates.map((words) => words.join(' ')).join(', ');
  throw new NativeSetupError('COMPILER', `there is no C++ compiler that runs (${names})`, INSTALL_COMPILER);
}

/**
 * Compiles the addon, its quiet loader and our kernels, and links the libraries, where @tensorflow/tfjs-node looks for them.
 * @param runtime the folder with `lib/` and `include/`.
 * @param libraries names of the libraries.
 * @param cuda folder of NVIDIA's libraries, where they are not those of the machine.
 * @throws NativeSetupError COMPILER
 */
export async function buildAddon(
  compiler: readonly string[],
  runtime: string,
  libraries: readonly string[],
  cuda?: string,
): Promise<void> {
  const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json'));
  const binding = join(tfjsNodeFolder(), 'binding');
  const sources = async (folder: string) =>
    (await readdir(folder)).filter((name) => name.endsWith('.cc')).map((name) => join(folder, name));
  const includes = [`-I${join(headers, 'include')}`, `-I${join(runtime, 'include')}`];
  const linked = [
    ...libraries.map((name) => join(runtime, 'lib', name)),
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ];

  const target = dirname(addonFile());
  await mkdir(target, { recursive: true });
  const work = await mkdtemp(join(target, 'new-'));
  try {
    await compile(compiler, [...includes, QUIET_LOADER, '-o', join(work, 'quiet')]);
    await compile(compiler, [...includes, ...(await sources(binding)), ...linked, '-o', join(work, 'addon')]);
    await compile(compiler, [
      ...includes,
      '-O3',
      ...(await sources(kernelsFolder())),
      ...linked,
      '-o',
      join(work, 'kernels'),
    ]);
    await rename(join(work, 'quiet'), quietLoaderFile());
    await rename(join(work, 'kernels'), kernelsFile());
    await linkLibraries(runtime, libraries, work);
    await rm(cudaLink(), { force: true });
    if (cuda !== undefined) await symlink(cuda, cudaLink());
    await rename(join(work, 'addon'), addonFile());
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function compile([command = '', ...first]: readonly string[], args: string[]): Promise<void> {
  const result = await execa(command, [...first, ...FLAGS, ...args], { reject: false });
  if (!result.failed) return;
  const why = result.stderr.split('\n').find((line) => /error/i.test(line)) ?? result.shortMessage ?? '';
  throw new NativeSetupError(
    'COMPILER',
    `${command} cannot compile the addon: ${why.trim()}`,
    INSTALL_COMPILER,
  );
}

/** Links, not copies: the libraries are 814 MiB. Renamed into place, because another process may use the old ones. */
async function linkLibraries(runtime: string, libraries: readonly string[], work: string): Promise<void> {
  await mkdir(libraryLinks(), { recursive: true });
  for (const name of libraries) {
    await symlink(join(runtime, 'lib', name), join(work, name));
    await rename(join(work, name), join(libraryLinks(), name));
  }
}
