import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkVersion, VERSION } from './version.ts';

const nobody = () => {};

it('the version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(VERSION).toBe(version);
});

describe('checkVersion', () => {
  it.each([
    ['0.1.0', '0.1.0'],
    ['0.9.3', '0.1.0'],
    ['0.1.0', '0.9.3'],
    ['1.4.0', '0.1.0'],
    ['0.1.0', '1.4.0'],
    ['1.0.0', '1.9.9'],
    ['2.0.0-rc.1', '2.3.0'],
    ['a build of mine', '1.0.0'],
    ['', '1.0.0'],
  ])('takes a server of version "%s" for an SDK of version %s', (server, sdk) => {
    expect(() => checkVersion(server, 'there:1', nobody, sdk)).not.toThrow();
  });

  it.each([
    ['2.0.0', '1.9.0', 'install @glocal/sdk@2'],
    ['2.1.0', '0.1.0', 'install @glocal/sdk@2'],
    ['1.9.0', '2.0.0', 'update the server to 2, or install @glocal/sdk@1'],
    ['10.0.0', '2.0.0', 'install @glocal/sdk@10'],
  ])('refuses one of version %s for an SDK of version %s', (server, sdk, repair) => {
    expect(() => checkVersion(server, 'there:1', nobody, sdk)).toThrow(
      expect.objectContaining({
        ...{ code: 'FAILED_PRECONDITION', reason: 'INCOMPATIBLE', serverVersion: server, sdkVersion: sdk },
        message: expect.stringContaining(`the server at there:1 has version ${server}, this SDK ${sdk}`),
      }),
    );
    expect(() => checkVersion(server, 'there:1', nobody, sdk)).toThrow(repair);
  });
});
