/** Which folders of the trainer may import which: from the ground floor up, so that there is no circle. */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, trackedFiles } from './repository.ts';

/** A folder may import those before it. '' has the entry files. */
const FLOORS = [
  'resource',
  'lifecycle',
  'process',
  'config',
  'tracing',
  'security',
  'backend',
  'ad',
  'data',
  'model',
  'inner',
  'problem',
  'hyper',
  'dmd',
  'notices',
  'store',
  'objects',
  'events',
  'metrics',
  'study',
  'loop',
  'checkpoint',
  'artifact',
  'drive',
  'external',
  'worker',
  'queue',
  'api',
  'commands',
  '',
  'public',
];

const SOURCES = 'services/trainer/src';
/** With names or bare, when it is called, or as the file of a process or a thread to start. */
const IMPORT = /\b(?:from|import|import\()\s*'(\.{1,2}\/[^']+)'|\bnew URL\(\s*'(\.{1,2}\/[^']+\.ts)'/g;

/** What only tests import may look upward. */
const isForTests = (file: string): boolean =>
  /(\.test|\.cases|testing|rule-case|store-contract)\.ts$/.test(file);

const folderOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] as string) : '');

interface Arrow {
  readonly from: string;
  readonly to: string;
}

/** The files that a source names, relative to it. */
const importsOf = (text: string): string[] =>
  [...text.matchAll(IMPORT)].map(([, imported, started = '']) => imported ?? started);

/** Imports between folders, by files relative to the sources. */
function arrows(): Arrow[] {
  const files = trackedFiles()
    .filter((path) => path.startsWith(`${SOURCES}/`) && path.endsWith('.ts') && !isForTests(path))
    .map((path) => path.slice(SOURCES.length + 1));
  return files.flatMap((from) => {
    const text = readFileSync(join(root, SOURCES, from), 'utf8');
    const imported = importsOf(text).map((path) => normalize(join(dirname(from), path)));
    return imported.filter((to) => folderOf(to) !== folderOf(from)).map((to) => ({ from, to }));
  });
}

it.each([
  ["import { a } from './a/b.ts';"],
  ["export * from '../a/b.ts';"],
  ["import './a/b.ts';"],
  ["const { a } = await import('../a/b.ts');"],
  ["const ENTRY = fileURLToPath(new URL('./a/b.ts', import.meta.url));"],
])('an import is seen however it is written: %s', (line) => {
  expect(importsOf(line)).toEqual([expect.stringMatching(/a\/b\.ts$/)]);
});

describe("the trainer's folders", () => {
  const found = arrows();

  it('all have their floor', () => {
    const folders = new Set(found.flatMap(({ from, to }) => [folderOf(from), folderOf(to)]));
    expect([...folders].filter((folder) => !FLOORS.includes(folder))).toEqual([]);
    expect(found.length).toBeGreaterThan(100);
  });

  it('import nothing from a floor above', () => {
    const floor = (file: string) => FLOORS.indexOf(folderOf(file));
    const upward = found.filter(({ from, to }) => floor(to) > floor(from));
    expect(upward.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });
});
