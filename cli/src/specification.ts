/** Studies as files. */

import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ExternalStudySpec, type StudySpec, specFromJson, specFromYaml } from '@glocal/sdk';
import { CommandError, NOT_THERE } from './exit.ts';

/**
 * The study that a file describes: JSON where its name ends in `.json`, else YAML.
 * @param path `-` for standard input.
 * @throws CommandError for a file that cannot be read, GlocalError INVALID_ARGUMENT with everything that is wrong in it.
 */
export async function readSpecification(path: string): Promise<StudySpec | ExternalStudySpec> {
  const content = path === '-' ? await text(process.stdin) : await readGiven(path);
  return extname(path).toLowerCase() === '.json' ? specFromJson(content) : specFromYaml(content);
}

async function readGiven(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CommandError(`--file: ${(error as Error).message}`, NOT_THERE);
  }
}
