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
  'store',
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
const IMPORT = /(?:from|import\()\s*'(\.{1,2}\/[^']+)'/g;

/** What only tests import may look upward. */
const isForTests = (file: string): boolean =>
  /(\.test|\.cases|testing|rule-case|store-contract)\.ts$/.test(file);

const folderOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] as string) : '');

interface Arrow {
  readonly from: string;
  readonly to: string;
}

/** Imports between folders, by files relative to the sources. */
function arrows(): Arrow[] {
  const files = trackedFiles()
    .filter((path) => path.startsWith(`${SOURCES}/`) && path.endsWith('.ts') && !isForTests(path))
    .map((path) => path.slice(SOURCES.length + 1));
  return files.flatMap((from) => {
    const text = readFileSync(join(root, SOURCES, from), 'utf8');
    const imported = [...text.matchAll(IMPORT)].map(([, path = '']) => normalize(join(dirname(from), path)));
    return imported.filter((to) => folderOf(to) !== folderOf(from)).map((to) => ({ from, to }));
  });
}

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
