/** What commands print on standard output: words for people, JSON for programs. */

import { Command } from 'commander';
import { toJson } from './json.ts';

/** The flag that every command has. */
export const JSON_FLAG = ['--json', 'prints JSON, for programs'] as const;

/** What `--help` of every command ends with. */
export const helpEnd = (example: string): string =>
  `\nExample:\n  ${example}\n\nExit codes: see glocal --help.`;

/**
 * A command that can print JSON.
 * @param example a whole command line, for `--help`
 */
export const leaf = (name: string, description: string, example: string): Command =>
  new Command(name)
    .description(description)
    .option(...JSON_FLAG)
    .addHelpText('after', helpEnd(example));

/** One document: in one line of JSON, or in words. */
export function print(json: boolean | undefined, document: unknown, words: () => string): void {
  process.stdout.write(`${json ? toJson(document) : words()}\n`);
}

/** Something for people beside the document. */
export const note = (text: string): void => void process.stderr.write(`${text}\n`);
