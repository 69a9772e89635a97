/** Which variables programs know, as they say so themselves. */

import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configVariables } from '@glocal/trainer/testing';
import { execa } from 'execa';
import { certificate } from '../support/certificates.ts';
import { startDmd } from '../support/dmd.ts';
import type { EnvVar } from './objects.ts';

/** Read by every program: those of OpenTelemetry, TensorFlow and AWS. */
const OF_LIBRARIES = /^(OTEL_[A-Z_]+|TF_[A-Z_]+|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY))$/;

/**
 * Variables of a container that its program does not read, nor another of them by `$(NAME)`.
 * @param known those that it reads.
 */
export function unknownVariables(env: readonly EnvVar[], known: readonly string[]): string[] {
  const used = env.flatMap(({ value = '' }) => [...value.matchAll(/\$\((\w+)\)/g)].map(([, name]) => name));
  return env
    .map(({ name }) => name)
    .filter((name) => !known.includes(name) && !OF_LIBRARIES.test(name) && !used.includes(name));
}

export const trainerVariables = (): string[] => [
  ...configVariables().map(({ variable }) => variable),
  ...['GLOCAL_DATA_DIR', 'GLOCAL_CACHE_DIR'],
];

/** As its help has them. */
export async function dashboardVariables(): Promise<string[]> {
  const main = join(import.meta.dirname, '../../cli/src/main.ts');
  const { stdout } = await execa(process.execPath, [main, 'dashboard', '--help']);
  return [...stdout.matchAll(/env:\s+(GLOCAL_\w+)/g)].map(([, name = '']) => name);
}

/**
 * Starts the DMD service with a container's variables, except that it listens on free ports of this machine and that files are
 * some that there are.
 * @throws ServerStartError with what it says of a variable or value that it does not know.
 */
export async function startDmdWith(env: readonly EnvVar[]): Promise<void> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-dmd-'));
  const { cert, key } = await certificate('localhost');
  const files = { CERTIFICATE: cert, KEY: key, CLIENT_CA: cert, TOKEN_FILE: 'secret\n' };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
  const given = env.flatMap(({ name, value }) => {
    if (!name.startsWith('GLOCAL_') || value === undefined) return [];
    const [file] = /(CERTIFICATE|KEY|CLIENT_CA|TOKEN_FILE)$/.exec(name) ?? [];
    return [[name, file === undefined ? value : join(folder.path, file)]];
  });
  const dmd = await startDmd({
    args: ['--metrics-listen', '127.0.0.1:0'],
    env: Object.fromEntries(given),
  });
  await dmd.stop();
}
