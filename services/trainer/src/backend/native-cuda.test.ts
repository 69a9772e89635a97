import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CUDA_LIBRARIES, ensureCuda } from './native-cuda.ts';
import { zip } from './testing.ts';

let root: string;
const log = vi.fn();

/** PATH has a pip that brings a wheel of two of NVIDIA's libraries, and a linker that knows of none. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'glocal-cuda-'));
  const bin = join(root, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(root, 'wheel'),
    zip({
      'nvidia/cudnn/lib/libcudnn.so.9': 'cudnn',
      'nvidia/cudnn/include/cudnn.h': 'not needed',
      'nvidia/cublas/lib/libcublas.so.12': 'cublas',
      'nvidia_cudnn_cu12-9.1.dist-info/licenses/License.txt': 'its licence',
    }),
  );
  const program = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  program('ldconfig', 'exit 0');
  program(
    'pip',
    `echo "$*" >> '${root}/calls'
for argument; do case "$argument" in --dest=*) /bin/cp '${root}/wheel' "\${argument#--dest=}/one.whl";; esac; done`,
  );
  vi.stubEnv('PATH', bin);
  vi.stubEnv('LD_LIBRARY_PATH', '');
  vi.stubEnv('GLOCAL_CACHE_DIR', join(root, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

const calls = (): string[] =>
  existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : [];

describe('ensureCuda', () => {
  it("takes NVIDIA's libraries and licences out of packages whose sums pip compares, once", async () => {
    const folder = (await ensureCuda(log)) as string;
    expect(await ensureCuda(log)).toBe(folder);
    expect(readdirSync(folder).sort()).toEqual(['cublas', 'cudnn', 'nvidia_cudnn_cu12-9.1-License.txt']);
    expect(readFileSync(join(folder, 'cudnn/lib/libcudnn.so.9'), 'utf8')).toBe('cudnn');
    expect(existsSync(join(folder, 'cudnn/include'))).toBe(false);
    expect(calls()).toEqual([expect.stringContaining('--require-hashes')]);
    expect(readdirSync(join(root, 'cache/native'))).toHaveLength(1);
  });

  it('takes those of the machine where the linker finds all of them', async () => {
    const own = join(root, 'own');
    mkdirSync(own);
    vi.stubEnv('LD_LIBRARY_PATH', own);
    const [missing = '', ...others] = CUDA_LIBRARIES;
    for (const name of others) writeFileSync(join(own, name), '');
    expect(await ensureCuda(log)).toBeDefined();
    writeFileSync(join(own, missing), '');
    expect(await ensureCuda(log)).toBeUndefined();
    expect(calls()).toHaveLength(1);
  });
});
