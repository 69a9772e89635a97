/** Python programs that tests run, in an environment with packages that is made once and kept between runs. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

const ENVIRONMENTS = join(import.meta.dirname, '../../.glocal/test/python');

/** The folder of its programs; or why there is none, which those who skip their tests should say. */
export type Python = { readonly bin: string } | { readonly missing: string };

/**
 * An environment with the packages of a file of requirements. `GLOCAL_TEST_PYTHON` names the folder of the programs of one that has
 * them already: PyTorch takes gigabytes.
 */
export async function pythonWith(requirements: string): Promise<Python> {
  const { GLOCAL_TEST_PYTHON: given } = process.env;
  if (given) return { bin: given };
  const folder = join(ENVIRONMENTS, digestOf(requirements));
  const bin = join(folder, 'bin');
  if (existsSync(join(folder, 'complete'))) return { bin };
  try {
    await rm(folder, { recursive: true, force: true });
    await execa('python3', ['-m', 'venv', folder]);
    await execa(join(bin, 'pip'), ['install', '--quiet', '-r', requirements]);
    await execa('touch', [join(folder, 'complete')]);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    return { missing: `no Python environment with ${requirements}: ${reason}` };
  }
  return { bin };
}

const digestOf = (file: string): string =>
  createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12);
