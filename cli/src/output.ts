/** What commands print on standard output: words for people, JSON for programs. */

import { Command } from 'commander';
import { toJson } from './json.ts';

/** A command that can print JSON. */
export const leaf = (name: string, description: string): Command =>
  new Command(name).description(description).option('--json', 'prints JSON, for programs');

/** One document: in one line of JSON, or in words. */
export function print(json: boolean | undefined, document: unknown, words: () => string): void {
  process.stdout.write(`${json ? toJson(document) : words()}\n`);
}

/** Something for people beside the document. */
export const note = (text: string): void => void process.stderr.write(`${text}\n`);
