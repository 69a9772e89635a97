import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Checkout } from './testing.ts';

const checkout = new Checkout();
afterAll(() => checkout[Symbol.dispose]());

/** Makes Node say that it runs on another system. */
const system = (properties: object) =>
  `--import=data:text/javascript,${encodeURIComponent(
    Object.entries(properties)
      .map(([name, value]) => `Object.defineProperty(process, '${name}', { value: '${value}' });`)
      .join(''),
  )}`;

describe('where the native runtime is not set up, the user', () => {
  it.each([
    ['macOS', { platform: 'darwin', arch: 'arm64' }],
    ['Windows', { platform: 'win32' }],
    ['another processor', { arch: 'riscv64' }],
  ])('is told in one line that training runs on wasm on %s', async (_, properties) => {
    const { succeeded, lines } = await checkout.run('setup-native.ts', { NODE_OPTIONS: system(properties) });
    expect(succeeded).toBe(false);
    expect(lines).toEqual([expect.stringMatching(/wasm, .* slower: it is for Linux on x64 and arm64/)]);
  });

  it.runIf(process.platform === 'linux')(
    'is asked for a compiler before anything is downloaded',
    async () => {
      const cache = join(checkout.root, 'cache');
      const { succeeded, lines } = await checkout.run('setup-native.ts', {
        CXX: 'no-such-compiler',
        GLOCAL_CACHE_DIR: cache,
      });
      expect(succeeded).toBe(false);
      expect(lines).toEqual([
        expect.stringMatching(
          /wasm, .* slower: .*no-such-compiler.*To change that: install g\+\+.*npm run setup$/,
        ),
      ]);
      expect(existsSync(cache)).toBe(false);
    },
  );

  it('is told how to when the backend is asked for all the same', async () => {
    expect(await checkout.run('self-check.ts')).toEqual({
      succeeded: false,
      lines: ['backend tensorflow is not installed: npm run setup, or choose wasm'],
    });
  });
});
