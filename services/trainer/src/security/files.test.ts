import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigError } from '../config/errors.ts';
import { type NamedFile, WatchedFiles } from './files.ts';

let folder: string;
let file: NamedFile;
let watched: WatchedFiles<string> | undefined;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-files-'));
  file = { setting: 'tokenFile', path: join(folder, 'tokens') };
  said = [];
});
afterEach(() => {
  watched?.[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const log = {
  info: (_about: object, message: string) => void said.push(message),
  error: ({ reason }: { readonly reason: string }) => void said.push(reason),
};
const open = () =>
  WatchedFiles.open(
    [file],
    ([content]) => {
      if (String(content) === 'bad') throw new ConfigError('it is bad');
      return String(content).toUpperCase();
    },
    log as never,
  );

it('files are used as they are at first, and anew when their content has changed', async () => {
  writeFileSync(file.path, 'one');
  watched = await open();
  const told: string[] = [];
  watched.onChange((value) => told.push(value));
  expect(watched.current).toBe('ONE');
  await watched.refresh();
  writeFileSync(file.path, 'two');
  await watched.refresh();
  await watched.refresh();
  expect(watched.current).toBe('TWO');
  expect(told).toEqual(['TWO']);
  expect(said).toEqual(['files were replaced: new connections and calls use them']);
});

it('files that cannot be used, or are away, leave in force what they had before, and the log says why, once', async () => {
  writeFileSync(file.path, 'one');
  watched = await open();
  writeFileSync(file.path, 'bad');
  await watched.refresh();
  await watched.refresh();
  expect(said).toEqual(['it is bad']);
  rmSync(file.path);
  await watched.refresh();
  await watched.refresh();
  expect(said).toHaveLength(2);
  expect(said[1]).toMatch(/^--token-file \(GLOCAL_TOKEN_FILE\): cannot read the file: ENOENT/);
  expect(watched.current).toBe('ONE');
  writeFileSync(file.path, 'three');
  await watched.refresh();
  expect(watched.current).toBe('THREE');
});

it('a file that cannot be read at first is named with its setting', async () => {
  await expect(open()).rejects.toThrow(ConfigError);
  await expect(open()).rejects.toThrow(/^--token-file \(GLOCAL_TOKEN_FILE\): cannot read the file: ENOENT/);
});
