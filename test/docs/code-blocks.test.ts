/** The code in the documents: what no other test runs is an excerpt of a source, or a module that type-checks. */

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { blocksOf, type CodeBlock, codeBlocks } from './code-blocks.ts';

const root = join(import.meta.dirname, '../..');
const blocks = codeBlocks();

const nameOf = ({ page, line }: CodeBlock): string => `${page}:${line}`;

it('is all proven', () => {
  expect(blocks.length).toBeGreaterThan(15);
  expect(blocks.filter(({ proof }) => proof === undefined).map(nameOf)).toEqual([]);
});

it('is run by tests that there are, which read the page or name its commands', () => {
  const wrong = blocks.filter(({ page, language, proof }) => {
    if (proof?.kind !== 'run') return false;
    const file = join(root, proof.by);
    return !existsSync(file) || (language !== 'sh' && !readFileSync(file, 'utf8').includes(basename(page)));
  });
  expect(wrong.map(nameOf)).toEqual([]);
});

it('is in the source that it is an excerpt of', () => {
  const wrong = blocks.filter(
    ({ code, proof }) =>
      proof?.kind === 'excerpt' && !readFileSync(join(root, proof.of), 'utf8').includes(code.trim()),
  );
  expect(wrong.map(nameOf)).toEqual([]);
});

it('type-checks', async () => {
  const place = join(root, '.glocal', 'test');
  await mkdir(place, { recursive: true });
  // In the checkout, where the packages are found.
  await using folder = await mkdtempDisposable(join(place, 'docs-'));
  const names = new Map<string, CodeBlock>();
  for (const block of blocks) {
    if (block.proof?.kind !== 'types') continue;
    const name = `block${names.size}.ts`;
    names.set(name, block);
    // What stands before it is on its first line, so that lines are those of the page.
    const before = block.proof.before.replaceAll('\n', ' ');
    await writeFile(join(folder.path, name), `export {};${before}\n${block.code}`);
  }
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2024', lib: ['es2024', 'esnext.disposable'], types: ['node'] },
    ...{ strict: true, noEmit: true, skipLibCheck: true, exactOptionalPropertyTypes: true },
  };
  await writeFile(
    join(folder.path, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: [...names.keys()] }),
  );
  const { stdout } = await execa('tsc', ['--project', folder.path, '--pretty', 'false'], {
    preferLocal: true,
    localDir: root,
    reject: false,
  });
  const errors = stdout.replaceAll(/\S*(block\d+\.ts)\((\d+),/g, (_, name: string, line: string) => {
    const block = names.get(name);
    return block === undefined ? name : `${block.page}:${block.line + Number(line) - 2} (`;
  });
  expect(errors).toBe('');
  expect(names.size).toBeGreaterThan(5);
});

it('has its notes read as they are meant', () => {
  const page = [
    '<!-- run by test/a.test.ts -->\n\n```ts\nrun();\n```\n',
    '```ts\nwhole();\n```\n',
    '<!-- after: declare const a: number; -->\n```ts\na;\n```\n',
    '```sh\nmake\n```\n',
    '```\nno code\n```\n',
  ].join('\n');
  expect(blocksOf('page.md', page).map(({ line, proof }) => [line, proof])).toEqual([
    [4, { kind: 'run', by: 'test/a.test.ts' }],
    [8, { kind: 'types', before: '' }],
    [13, { kind: 'types', before: ' declare const a: number;' }],
    [17, undefined],
  ]);
});
