/** What the SDK weighs where it is installed, and how long its import takes. */

import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { execa } from 'execa';
import { emptyFolder, install, tarballsIn } from '../../packages/packed.ts';
import { type Row, timeRow } from '../row.ts';

const IMPORTS = 15;
/** Prints the milliseconds that the import took. */
const IMPORT = `
const before = performance.now();
await import('@glocal/sdk');
console.log(performance.now() - before);
`;

const SDK = '@glocal/sdk';
const GRPC = '@grpc/grpc-js';

/**
 * `sdk.import_ms`: in a new process, after one that has brought the files into memory. `sdk.tarball_kb`: what is downloaded.
 * `sdk.tree_kb`: as the files are long, the SDK and what it would still bring if it did without @grpc/grpc-js: its other dependencies with
 * theirs, also where @grpc/grpc-js needs them too. `sdk.tree_with_grpc_kb`: all that its installation leaves in `node_modules`.
 */
export async function packageRows(): Promise<Row[]> {
  await using folder = await emptyFolder();
  const { path } = folder;
  const tarball = (await tarballsIn(join(path, 'tarballs'), ['sdk'])).get(SDK) as string;
  await install(path, [tarball]);
  const times: number[] = [];
  for (let i = 0; i <= IMPORTS; i++) {
    const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', IMPORT], {
      cwd: path,
      env: { NODE_COMPILE_CACHE: undefined },
    });
    if (i > 0) times.push(Number(stdout));
  }
  const modules = join(path, 'node_modules');
  const tree = [...packagesOf(join(modules, SDK))].reduce((sum, folder) => sum + bytesIn(folder), 0);
  return [
    timeRow('sdk.import_ms', times),
    { name: 'sdk.tarball_kb', value: Math.round(statSync(tarball).size / 1e3), unit: 'kB', n: 1 },
    { name: 'sdk.tree_kb', value: Math.round(tree / 1e3), unit: 'kB', n: 1 },
    { name: 'sdk.tree_with_grpc_kb', value: Math.round(bytesIn(modules) / 1e3), unit: 'kB', n: 1 },
  ];
}

/** Folders of an installed package and of all that it needs, but for @grpc/grpc-js and what only that needs. */
function packagesOf(folder: string, known = new Set<string>()): ReadonlySet<string> {
  if (known.has(folder)) return known;
  known.add(folder);
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const names = Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => name !== GRPC);
  for (const name of names) {
    const found = installedFor(folder, name);
    if (found !== undefined) packagesOf(found, known);
    else if (optionalDependencies?.[name] === undefined) throw new Error(`${folder} lacks ${name}`);
  }
  return known;
}

/** Where Node finds a package for a module in a folder. */
function installedFor(folder: string, name: string): string | undefined {
  const found = join(folder, 'node_modules', name);
  if (existsSync(found)) return found;
  return dirname(folder) === folder ? undefined : installedFor(dirname(folder), name);
}

/** Lengths of all files below a folder; of a package without those of packages that lie inside of it. */
function bytesIn(folder: string): number {
  const inside = join(folder, 'node_modules') + sep;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => !file.startsWith(inside))
    .map((file) => lstatSync(file));
  return files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}
