/** What the SDK weighs where it is installed, and how long its import takes. */

import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
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

/**
 * `sdk.import_ms`: in a new process, after one that has brought the files into memory. `sdk.tarball_kb`: what is downloaded.
 * `sdk.tree_kb`: all of `node_modules` but @grpc/grpc-js itself, as the files are long.
 */
export async function packageRows(): Promise<Row[]> {
  await using folder = await emptyFolder();
  const { path } = folder;
  const tarball = (await tarballsIn(join(path, 'tarballs'), ['sdk'])).get('@glocal/sdk') as string;
  await install(path, [tarball]);
  const times: number[] = [];
  for (let i = 0; i <= IMPORTS; i++) {
    const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', IMPORT], {
      cwd: path,
      env: { NODE_COMPILE_CACHE: undefined },
    });
    if (i > 0) times.push(Number(stdout));
  }
  const tree = bytesIn(join(path, 'node_modules'), join(path, 'node_modules/@grpc/grpc-js'));
  return [
    timeRow('sdk.import_ms', times),
    { name: 'sdk.tarball_kb', value: Math.round(statSync(tarball).size / 1e3), unit: 'kB', n: 1 },
    { name: 'sdk.tree_kb', value: Math.round(tree / 1e3), unit: 'kB', n: 1 },
  ];
}

/** Lengths of all files below a folder, without those below another. */
function bytesIn(folder: string, without: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.map((name) => join(folder, name)).filter((file) => !file.startsWith(`${without}/`));
  return files.map((file) => lstatSync(file)).reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}
