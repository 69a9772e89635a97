import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { manifest, root, trackedFiles } from './repository.ts';

/** Text files only: a NUL byte marks the others (data, pictures, descriptor sets). */
function texts(): { path: string; text: string }[] {
  return trackedFiles()
    .filter((path) => existsSync(join(root, path)) && statSync(join(root, path)).isFile())
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'));
}

/** The lines that match, as `path:number: line`. */
function linesMatching(pattern: RegExp): string[] {
  return texts().flatMap(({ path, text }) =>
    text
      .split('\n')
      .map((line, index) => ({ line, index }))
      .filter(({ line }) => pattern.test(line))
      .map(({ line, index }) => `${path}:${index + 1}: ${line.trim().slice(0, 120)}`),
  );
}

test('no package registry is named: the clients use the one that their user configured', () => {
  const hosts =
    /registry[.]npmjs|pypi[.]org|pythonhosted[.]org|repo1?[.]maven|static[.]crates[.]io|proxy[.]golang|deb[.]debian/;
  expect(linesMatching(hosts)).toEqual([]);
});

test('no path of one machine is written down', () => {
  expect(linesMatching(/(^|[^\w.$}/-])\/(work|root|farm|Users\/\w+|home\/\w+)\//)).toEqual([]);
});

test('the lockfile names packages by version and hash, not by address', () => {
  const lock: { packages: Record<string, { resolved?: string; link?: boolean }> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  const addressed = Object.entries(lock.packages).filter(
    ([, entry]) => entry.resolved !== undefined && !entry.link,
  );
  expect(addressed).toEqual([]);
});

test('every command in a Markdown page exists as an npm script', () => {
  const scripts = Object.keys(manifest('').scripts ?? {});
  const commands = texts()
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(test)\b)/g)].map(([, run, test]) => ({
        path,
        script: run ?? test,
      })),
    );
  expect(commands.filter(({ script }) => script === undefined || !scripts.includes(script))).toEqual([]);
});
