/** Studies as files. */

import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type ExternalStudySpec, GlocalError, type StudySpec, specFromJson, specFromYaml } from '@glocal/sdk';
import { CommandError, NOT_THERE, REFUSED } from './exit.ts';
import { retold } from './flag-names.ts';

/**
 * The study that a file describes: JSON where its name ends in `.json`, else YAML.
 * @param path `-` for standard input.
 * @throws CommandError for a file that cannot be read, or is no text; GlocalError INVALID_ARGUMENT with everything that is wrong in it.
 */
export async function readSpecification(path: string): Promise<StudySpec | ExternalStudySpec> {
  const content = textOf(path, path === '-' ? await buffer(process.stdin) : await readGiven(path));
  try {
    return extname(path).toLowerCase() === '.json' ? specFromJson(content) : specFromYaml(content);
  } catch (error) {
    if (!(error instanceof GlocalError)) throw error;
    throw asWritten(error, nameOf(path));
  }
}

const nameOf = (path: string): string => (path === '-' ? 'standard input' : path);

async function readGiven(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new CommandError(`--file: ${(error as Error).message}`, NOT_THERE);
  }
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // What it is instead nobody knows.
  }
  throw new CommandError(`--file: ${nameOf(path)} is not text in UTF-8`, REFUSED);
}

/** How a program would make it, which a file does not. */
const IN_PROGRAMS = /;? *make it with .*$/;
/** Letters of a message: it may repeat what stands in the file. */
const LONGEST = 300;

/** The same error with the file in place of a variable of a program. */
const asWritten = (error: GlocalError, file: string): GlocalError =>
  retold(
    error,
    (field) => (field === 'spec' || field === '' ? file : field),
    (text) => cut(text.replace(IN_PROGRAMS, '')),
  );

const cut = (text: string): string => (text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`);
