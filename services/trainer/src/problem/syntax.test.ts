import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { located } from './errors.ts';
import { placed } from './syntax.ts';

let folder: string;
let files: string[];
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'glocal-syntax-')));
  const texts = { 'whole.mjs': 'export const a = 1;\n', 'torn.mjs': 'const a = 1;\n\nexport default {;\n' };
  files = Object.entries(texts).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('an error of syntax', () => {
  it('is told with the file and line that it is in', () => {
    const error = placed(new SyntaxError("Unexpected token ';'"), files);
    expect(located(error, folder)).toBe("torn.mjs, line 3: Unexpected token ';'");
  });

  it('that says already where it is stays as it is', () => {
    const error = new SyntaxError('no export named b');
    error.stack = `file://${folder}/whole.mjs:1\n${error.stack}`;
    expect(located(placed(error, files), folder)).toBe('whole.mjs, line 1: no export named b');
  });

  it('that is in none of the files has no place', () => {
    const error = placed(new SyntaxError('Unexpected end of JSON input'), files.slice(0, 1));
    expect(located(error, folder)).toBe('Unexpected end of JSON input');
  });
});
