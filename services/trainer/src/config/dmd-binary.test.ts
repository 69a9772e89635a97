import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findDmdBinary } from './dmd-binary.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'glocal-binary-'));
});
afterEach(() => {
  vi.unstubAllGlobals();
  rmSync(root, { recursive: true, force: true });
});

/** A folder with a DMD service in it. */
function withService(name: string): string {
  mkdirSync(join(root, name));
  writeFileSync(join(root, name, 'glocal-dmd'), '');
  return join(root, name);
}

describe('the DMD service of an installed trainer', () => {
  it('is the one beside the command that was started, before any on PATH', () => {
    const [beside, onPath] = [withService('beside'), withService('path')];
    vi.stubGlobal('process', { ...process, argv: ['node', join(beside, 'glocal-trainer')] });
    expect(findDmdBinary(true, onPath)).toBe(join(beside, 'glocal-dmd'));
  });

  it('is the first on PATH where there is none beside it', () => {
    const [first, second] = [withService('first'), withService('second')];
    expect(findDmdBinary(true, [join(root, 'nowhere'), first, second].join(delimiter))).toBe(
      join(first, 'glocal-dmd'),
    );
  });

  it('is looked for in the folder of the package in the end', () => {
    expect(findDmdBinary(true, '')).toMatch(/services\/trainer\/glocal-dmd$/);
  });
});

it('the DMD service of a checkout is the one that cargo made', () => {
  expect(findDmdBinary(false, withService('path'))).toMatch(/target\/release\/glocal-dmd$/);
});
