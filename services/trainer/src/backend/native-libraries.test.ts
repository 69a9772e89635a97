import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureLibraries } from './native-libraries.ts';
import type { NativeWheel } from './native-runtime.ts';
import { headersSha256 } from './native-wheel.ts';
import { zip } from './testing.ts';

const CONTENT = { cc: 'the big library', framework: 'the small library' };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const wheel: NativeWheel = {
  distribution: 'tensorflow-cpu',
  platformTag: 'manylinux_2_27_x86_64',
  megabytes: 1,
  libraries: {
    'libtensorflow_cc.so.2': sha256(CONTENT.cc),
    'libtensorflow_framework.so.2': sha256(CONTENT.framework),
  },
  headers: headersSha256(
    new Map([
      ['tensorflow/c/c_api.h', sha256('c_api')],
      ['tensorflow/c/eager/c_api.h', sha256('eager')],
      ['tsl/platform/ctstring.h', sha256('ctstring')],
    ]),
  ),
};

const files = (cc = CONTENT.cc): Record<string, string> => ({
  'tensorflow/libtensorflow_cc.so.2': cc,
  'tensorflow/libtensorflow_framework.so.2': CONTENT.framework,
  'tensorflow/include/tensorflow/c/c_api.h': 'c_api',
  'tensorflow/include/tensorflow/c/eager/c_api.h': 'eager',
  'tensorflow/include/tensorflow/core/graph/graph.h': 'not of the C API',
  'tensorflow/include/tsl/platform/ctstring.h': 'ctstring',
  'tensorflow/include/LICENSE': 'its licence',
  'tensorflow/THIRD_PARTY_NOTICES.txt': 'the licences of others',
  'tensorflow/python/client.py': 'not needed',
});

let root: string;
let bin: string;
let folder: string;
const log = vi.fn();

/** What `pip` finds is in `root/wheel`; PATH has nothing else. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'glocal-libraries-'));
  bin = join(root, 'bin');
  folder = join(root, 'cache', 'tensorflow');
  mkdirSync(bin);
  vi.stubEnv('PATH', bin);
  log.mockClear();
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

/** A pip that answers with a wheel of these files, and counts its calls. */
function pip(contents: Record<string, string>, name = 'pip'): void {
  writeFileSync(join(root, 'wheel'), zip(contents));
  program(
    name,
    `echo "$*" >> '${root}/calls'
for argument; do case "$argument" in --dest=*) /bin/cp '${root}/wheel' "\${argument#--dest=}/tensorflow.whl";; esac; done`,
  );
}

const calls = (): string[] =>
  existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : [];
const content = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8');

describe('ensureLibraries', () => {
  it('takes libraries and C headers out of the wheel, once', async () => {
    pip(files());
    await ensureLibraries(wheel, folder, log);
    await ensureLibraries(wheel, folder, log);
    expect(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .sort(),
    ).toEqual([
      ...['LICENSE', 'THIRD_PARTY_NOTICES.txt', 'c_api.h', 'c_api.h', 'ctstring.h'],
      ...['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
    ]);
    expect(content('lib', 'libtensorflow_cc.so.2')).toBe(CONTENT.cc);
    expect(content('include', 'tensorflow', 'c', 'eager', 'c_api.h')).toBe('eager');
    expect(calls()).toHaveLength(1);
    expect(calls()[0]).toMatch(/--platform=manylinux_2_27_x86_64 .*tensorflow-cpu==2\.21\.0$/);
  });

  it('leaves one good folder when several ask at the same time', async () => {
    pip(files());
    // In waves, so that some look while others put theirs in place.
    const inAWhile = (ms: number) => sleep(ms).then(() => ensureLibraries(wheel, folder, log));
    await Promise.all(Array.from({ length: 12 }, (_, i) => inAWhile(7 * (i % 4))));
    expect(readdirSync(join(root, 'cache'))).toEqual(['tensorflow']);
    expect(content('lib', 'libtensorflow_cc.so.2')).toBe(CONTENT.cc);
  });

  it('refuses libraries that are not the original ones, and keeps nothing of them', async () => {
    pip(files('a bad library'));
    await expect(ensureLibraries(wheel, folder, log)).rejects.toMatchObject({
      reason: 'CHECKSUM',
      message: expect.stringContaining(sha256('a bad library')),
    });
    expect(readdirSync(join(root, 'cache'))).toEqual([]);
  });

  it('refuses headers that are not the original ones: they are compiled into what it runs', async () => {
    pip({ ...files(), 'tensorflow/include/tensorflow/c/eager/c_api.h': 'other' });
    await expect(ensureLibraries(wheel, folder, log)).rejects.toMatchObject({
      reason: 'CHECKSUM',
      message: expect.stringContaining('C headers have sha256'),
    });
    expect(readdirSync(join(root, 'cache'))).toEqual([]);
  });

  it('refuses a wheel without them', async () => {
    pip({ 'tensorflow/libtensorflow_cc.so.2': CONTENT.cc });
    await expect(ensureLibraries(wheel, folder, log)).rejects.toMatchObject({
      reason: 'CHECKSUM',
      message: expect.stringContaining('it lacks libtensorflow_framework.so.2'),
    });
  });

  it('replaces what is incomplete or damaged', async () => {
    pip(files());
    await ensureLibraries(wheel, folder, log);
    rmSync(join(folder, 'lib', 'libtensorflow_framework.so.2'));
    await ensureLibraries(wheel, folder, log);
    expect(content('lib', 'libtensorflow_framework.so.2')).toBe(CONTENT.framework);

    writeFileSync(join(folder, 'lib', 'libtensorflow_cc.so.2'), 'damaged');
    await ensureLibraries(wheel, folder, log);
    expect(content('lib', 'libtensorflow_cc.so.2')).toBe(CONTENT.cc);

    writeFileSync(join(folder, 'include', 'tensorflow', 'c', 'c_api.h'), 'damaged');
    await ensureLibraries(wheel, folder, log);
    expect(content('include', 'tensorflow', 'c', 'c_api.h')).toBe('c_api');

    rmSync(join(folder, 'LICENSE'));
    await ensureLibraries(wheel, folder, log);
    expect(content('LICENSE')).toBe('its licence');
    expect(calls()).toHaveLength(5);
  });

  it('removes what a process left that was killed long ago, not what another is working on', async () => {
    pip(files());
    for (const name of ['tensorflow.new-old', 'tensorflow.new-now'])
      mkdirSync(join(root, 'cache', name), { recursive: true });
    utimesSync(join(root, 'cache', 'tensorflow.new-old'), 0, 0);
    await ensureLibraries(wheel, folder, log);
    expect(readdirSync(join(root, 'cache')).sort()).toEqual(['tensorflow', 'tensorflow.new-now']);
  });

  it('finds pip behind another name where `pip` is missing or an empty shim', async () => {
    program('pip', 'echo "pip: command not found" >&2; exit 127');
    pip(files(), 'pip3');
    await ensureLibraries(wheel, folder, log);
    expect(content('lib', 'libtensorflow_cc.so.2')).toBe(CONTENT.cc);
  });

  it("passes pip's reason on", async () => {
    program('pip', 'echo "ERROR: no route to host" >&2; exit 1');
    await expect(ensureLibraries(wheel, folder, log)).rejects.toMatchObject({
      reason: 'DOWNLOAD',
      message: expect.stringMatching(/^pip could not download tensorflow-cpu 2\.21\.0: no route to host$/),
    });
  });

  it('says so when there is no pip', async () => {
    await expect(ensureLibraries(wheel, folder, log)).rejects.toMatchObject({
      reason: 'DOWNLOAD',
      message: expect.stringContaining('pip'),
      remedy: expect.stringContaining('install pip'),
    });
  });
});
