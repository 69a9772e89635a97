/** Compiles the addon, in a checkout of its own, against the libraries of this user's cache. */

import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gpusInMachine, isNativeInstalled, runtimeFolder } from './native-runtime.ts';
import { Checkout } from './testing.ts';

let checkout: Checkout;
beforeAll(() => {
  checkout = new Checkout();
});
afterAll(() => checkout[Symbol.dispose]());
const whereInstalled = isNativeInstalled() ? '' : ' (skipped: not installed here, npm run setup installs it)';
const COMPILING = 'compiling the TensorFlow addon for Node';
const READY = 'TensorFlow 2.21.0 is ready';

describe.skipIf(!isNativeInstalled())(
  `setting the native runtime up${whereInstalled}`,
  { timeout: 180_000 },
  () => {
    it('works for two processes at the same time', async () => {
      const both = await Promise.all([checkout.run('setup-native.ts'), checkout.run('setup-native.ts')]);
      expect(both).toEqual([1, 2].map(() => ({ succeeded: true, lines: [COMPILING, READY] })));
      expect((await checkout.run('self-check.ts')).succeeded).toBe(true);
    });

    it('does nothing the second time', async () => {
      expect(await checkout.run('setup-native.ts')).toEqual({ succeeded: true, lines: [] });
    });

    it('compiles again after npm has replaced tfjs-node', async () => {
      rmSync(join(checkout.tfjsNode, 'lib'), { recursive: true });
      rmSync(join(checkout.tfjsNode, 'deps'), { recursive: true });
      expect((await checkout.run('self-check.ts')).lines).toEqual([
        expect.stringMatching(/not installed.*npm run setup/),
      ]);
      expect(await checkout.run('setup-native.ts')).toEqual({ succeeded: true, lines: [COMPILING, READY] });
    });

    it('keeps the runtime that works when another cannot be compiled', async () => {
      const CXX = compiler('[ "$1" = --version ] || { echo "error: out of memory" >&2; exit 1; }');
      const { succeeded, lines } = await checkout.run('setup-native.ts', { CXX }, ['--force']);
      expect(succeeded).toBe(false);
      expect(lines.at(-1)).toMatch(
        /^the native TensorFlow stays as it was \(cpu\): .* cannot compile the addon: error: out of memory\. To change that: /,
      );
      expect((await checkout.run('self-check.ts')).succeeded).toBe(true);
    });

    it('removes a runtime that does not load, and says why', async () => {
      const CXX = compiler('for last; do :; done; [ "$1" = --version ] || echo "no library" > "$last"');
      const { succeeded, lines } = await checkout.run('setup-native.ts', { CXX }, ['--force']);
      expect(succeeded).toBe(false);
      expect(lines.at(-1)).toMatch(
        / slower: the runtime does not work here: .*quiet_load\.node: file too short\. To change that: npm run setup$/,
      );
      expect((await checkout.run('self-check.ts')).lines).toEqual([expect.stringContaining('not installed')]);
    });
  },
);

const hasCuda = existsSync(runtimeFolder('cuda'));
const whereFetched = hasCuda ? '' : ' (skipped: not fetched here, GLOCAL_RUNTIME=cuda npm run setup does)';

describe.skipIf(!hasCuda)(`the build for CUDA${whereFetched}`, { timeout: 300_000 }, () => {
  const GLOCAL_RUNTIME = 'cuda';

  it('takes the place of the other, says whether it sees a GPU, computes, and gives way again', async () => {
    const cuda = await checkout.run('setup-native.ts', { GLOCAL_RUNTIME });
    expect(cuda).toMatchObject({ succeeded: true });
    expect(cuda.lines.at(-1)).toMatch(
      gpusInMachine() > 0
        ? /^TensorFlow 2\.21\.0 is ready: native TensorFlow 2\.21 \(CUDA, oneDNN\)$/
        : /^TensorFlow 2\.21\.0 is ready: native TensorFlow 2\.21 \(CUDA without a GPU, oneDNN\)$/,
    );
    // Without being asked for it stays.
    expect(await checkout.run('setup-native.ts')).toEqual({ succeeded: true, lines: [] });
    const back = await checkout.run('setup-native.ts', { GLOCAL_RUNTIME: 'cpu' });
    expect(back).toEqual({ succeeded: true, lines: [COMPILING, READY] });
  });
});

/** A compiler that is this script. */
function compiler(script: string): string {
  const file = join(checkout.root, 'compiler');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}
