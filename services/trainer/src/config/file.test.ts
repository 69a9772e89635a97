import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from './errors.ts';
import { readConfigFile } from './file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string, name = 'trainer.toml') {
  const file = join(folder, name);
  writeFileSync(file, text);
  return readConfigFile(file);
}

describe('the configuration file', () => {
  it('is TOML', () => {
    const text = 'max_steps = 7 # few\nbackend = "wasm"\ninsecure = true\nmax_watch_bytes = "1 MiB"\n';
    const expected = { maxSteps: 7, backend: 'wasm', insecure: true, maxWatchBytes: 1_048_576 };
    expect(read(text)).toEqual(expected);
  });

  it('is JSON where its name says so', () => {
    expect(read('{ "dmd_retry_seconds": 0.5 }', 'trainer.json')).toEqual({ dmdRetrySeconds: 0.5 });
  });

  it('may be empty', () => {
    expect(read('')).toEqual({});
  });

  it.each([
    ['max_stepz = 7', /trainer\.toml: max_stepz: no setting has this name; did you mean max_steps\?$/],
    ['weather = 7', /: weather: no setting has this name; docs\/settings\.md lists those that do$/],
    ['max_steps = "7"', /: max_steps: it must be a whole number from 1 to 2147483647$/],
    ['max_steps = 0', /: max_steps: it must be a whole number from 1 to 2147483647$/],
    ['store = ""', /: store: it must not be empty$/],
    ['insecure = "perhaps"', /: insecure: it must be yes or no; in a file true or false$/],
    ['max_watch_bytes = "1 MB"', /: max_watch_bytes: it must be a number of bytes/],
    ['backend = "gpu"\nlisten = 4', /: listen: it must be text; \S+: backend: it must be one of tensorflow,/],
    ['[limits]\nmax_steps = 1', /: limits: no setting has this name/],
    ['max_steps = ', /trainer\.toml:1:13: Invalid TOML/],
  ])('is refused with what is wrong: %s', (text, message) => {
    expect(() => read(text)).toThrow(ConfigError);
    expect(() => read(text)).toThrow(message);
  });

  it.each(['[1]', '7', 'nonsense'])('is refused when it has no settings: %s', (text) => {
    expect(() => read(text, 'trainer.json')).toThrow(ConfigError);
  });

  it('is named when it cannot be read', () => {
    expect(() => readConfigFile('/nowhere/trainer.toml')).toThrow(
      /^cannot read the configuration file: ENOENT.*\/nowhere\/trainer\.toml/,
    );
  });
});
