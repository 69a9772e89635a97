import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WASM_COST } from './native-runtime.ts';
import { Checkout } from './testing.ts';

let checkout: Checkout;
beforeAll(() => {
  checkout = new Checkout();
});
afterAll(() => checkout[Symbol.dispose]());

/** Makes Node say that it runs on another system. */
const system = (properties: Record<string, unknown>) =>
  `--import=data:text/javascript,${encodeURIComponent(
    Object.entries(properties)
      .map(([name, value]) => `Object.defineProperty(process, '${name}', { value: ${value} });`)
      .join(''),
  )}`;
const linux = { platform: "'linux'", arch: "'x64'" };
const glibc = (version: string) => `{ getReport: () => ({ header: { glibcVersionRuntime: ${version} } }) }`;

describe('where the native runtime is not set up, the user', () => {
  it.each([
    [
      'macOS',
      { platform: "'darwin'", arch: "'arm64'" },
      'it is for Linux on x64 and arm64, and this is darwin-arm64',
    ],
    [
      'Windows',
      { platform: "'win32'", arch: "'x64'" },
      'it is for Linux on x64 and arm64, and this is win32-x64',
    ],
    [
      'another processor',
      { ...linux, arch: "'riscv64'" },
      'it is for Linux on x64 and arm64, and this is linux-riscv64',
    ],
    [
      'an old system',
      { ...linux, report: glibc("'2.17'") },
      'it needs glibc 2.27 or newer, and this system has 2.17',
    ],
    [
      'Alpine',
      { ...linux, report: glibc('undefined') },
      'it needs glibc 2.27 or newer, and this system has another C library',
    ],
  ])('is told in one line why training runs on wasm on %s', async (_, properties, reason) => {
    const { succeeded, lines } = await checkout.run('setup-native.ts', { NODE_OPTIONS: system(properties) });
    expect(succeeded).toBe(false);
    expect(lines).toEqual([`no native TensorFlow, so training runs on wasm, ${WASM_COST}: ${reason}`]);
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

  it.each([
    [
      'a build that there is not',
      'gpu',
      linux,
      'GLOCAL_RUNTIME is "gpu". To change that: set it to cpu or cuda',
    ],
    [
      'CUDA on another processor',
      'cuda',
      { ...linux, arch: "'arm64'" },
      'it is for Linux on x64 with CUDA, and this is linux-arm64',
    ],
  ])('is told so when asking for %s', async (_, GLOCAL_RUNTIME, properties, reason) => {
    const env = { GLOCAL_RUNTIME, NODE_OPTIONS: system(properties) };
    const { succeeded, lines } = await checkout.run('setup-native.ts', env);
    expect(succeeded).toBe(false);
    expect(lines).toEqual([`no native TensorFlow, so training runs on wasm, ${WASM_COST}: ${reason}`]);
  });

  it('is told how to when the backend is asked for all the same', async () => {
    expect(await checkout.run('self-check.ts')).toEqual({
      succeeded: false,
      lines: ['backend tensorflow is not installed: npm run setup, or choose wasm'],
    });
  });
});
