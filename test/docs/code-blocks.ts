/**
 * The code in the documents, and what proves that it is right. A comment before a block, which readers do not see, says so
 * where the block is no module that is whole by itself:
 *
 *     <!-- run by test/docs/models.test.ts -->     a test runs it
 *     <!-- excerpt of sdk/src/space.ts -->         it is a part of this file
 *     <!-- after: declare const study: Study; -->  it is checked with these lines before it
 */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** The pages that are for users. */
const PAGES = [
  'README.md',
  'sdk/README.md',
  'cli/README.md',
  'dashboard/README.md',
  'services/trainer/README.md',
  'docs/*.md',
];
/** TypeScript, JavaScript, and commands. */
const LANGUAGES = ['ts', 'js', 'sh'];
const BLOCK = /(?:<!--((?:(?!-->).)*)-->\n+)?```(\w*)\n(.*?)^```/gms;

/** Why a block can be believed. */
export type Proof =
  | { readonly kind: 'run'; readonly by: string }
  | { readonly kind: 'excerpt'; readonly of: string }
  /** As a module of its own. */
  | { readonly kind: 'types'; readonly before: string };

export interface CodeBlock {
  readonly page: string;
  /** Of its first line in the page, counted from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** Undefined of commands that no test runs. */
  readonly proof: Proof | undefined;
}

export const codeBlocks = (): CodeBlock[] =>
  globSync(PAGES, { cwd: root })
    .sort()
    .flatMap((page) => blocksOf(page, readFileSync(join(root, page), 'utf8')));

export function blocksOf(page: string, text: string): CodeBlock[] {
  return [...text.matchAll(BLOCK)].flatMap(
    ({ 0: whole, 1: note = '', 2: language = '', 3: code = '', index }) => {
      if (!LANGUAGES.includes(language)) return [];
      const start = index + whole.lastIndexOf(code);
      const line = text.slice(0, start).split('\n').length;
      return [{ page, line, language, code, proof: proofOf(note.trim(), language) }];
    },
  );
}

function proofOf(note: string, language: string): Proof | undefined {
  const [, by] = note.match(/^run by (\S+)$/) ?? [];
  if (by !== undefined) return { kind: 'run', by };
  const [, of] = note.match(/^excerpt of (\S+)$/) ?? [];
  if (of !== undefined) return { kind: 'excerpt', of };
  if (language === 'sh') return undefined;
  const [, before = ''] = note.match(/^after:(.*)$/s) ?? [];
  return { kind: 'types', before };
}
