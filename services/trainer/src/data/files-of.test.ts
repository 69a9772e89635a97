import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatasetFilesState as State } from '@glocal/proto/glocal/v1/study_service';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { filesOf } from './files-of.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'glocal-files-of-'));
  vi.stubEnv('GLOCAL_DATA_DIR', join(root, 'given'));
  vi.stubEnv('GLOCAL_CACHE_DIR', join(root, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

function put(path: string, content = ''): void {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

const PRESENT = { state: State.PRESENT, missing: [], repair: '' };

describe('what comes with the product', () => {
  it('is there', async () => {
    expect(await filesOf('fashion-mnist-10k')).toEqual(PRESENT);
  });
});

describe('an idx set', () => {
  it('would be downloaded, and says who can do that before', async () => {
    const { state, missing, repair } = await filesOf('mnist');
    expect(state).toBe(State.DOWNLOADABLE);
    expect(missing).toHaveLength(4);
    expect(repair).toMatch(/ data mnist, on the server's machine, if it reaches \S+;/);
    expect(repair).toContain(
      'put a folder mnist into its GLOCAL_DATA_DIR that has train-images-idx3-ubyte.gz,',
    );
  });

  it('may be partly in GLOCAL_DATA_DIR, unpacked, and partly in the cache', async () => {
    put('given/mnist/train-images-idx3-ubyte');
    put('cache/data/mnist/t10k-labels-idx1-ubyte.gz');
    const { state, missing } = await filesOf('mnist');
    expect(state).toBe(State.DOWNLOADABLE);
    expect(missing).toEqual(['train-labels-idx1-ubyte.gz', 't10k-images-idx3-ubyte.gz']);
    for (const name of missing) put(`given/mnist/${name}`);
    expect(await filesOf('mnist')).toEqual(PRESENT);
  });
});

describe('a CIFAR set', () => {
  it('is also found in the folder of its archive', async () => {
    put('given/cifar-100-binary/train.bin');
    expect(await filesOf('cifar100')).toMatchObject({ state: State.DOWNLOADABLE, missing: ['test.bin'] });
    put('cache/data/cifar100/test.bin');
    expect(await filesOf('cifar100')).toEqual(PRESENT);
  });
});

describe("a user's data set", () => {
  const manifest = { format: 'npz', classes: 2, testFraction: 0.5 };
  const train = { file: 'all.npz', values: 'x', labels: 'y' };

  it('lacks what its manifest names and is not there', async () => {
    put('given/flowers/dataset.json', JSON.stringify({ ...manifest, train }));
    expect(await filesOf('flowers')).toEqual({
      ...{ state: State.MISSING, missing: ['all.npz'] },
      repair: 'put all.npz back into GLOCAL_DATA_DIR/flowers',
    });
    put('given/flowers/all.npz');
    expect(await filesOf('flowers')).toEqual(PRESENT);
  });

  it('may have lost its manifest, or what is in it', async () => {
    expect(await filesOf('flowers')).toMatchObject({ state: State.MISSING, missing: ['dataset.json'] });
    put('given/flowers/dataset.json', JSON.stringify(manifest));
    const { state, repair } = await filesOf('flowers');
    expect(state).toBe(State.MISSING);
    expect(repair).toMatch(/^mend it: .*dataset\.json is invalid: train/);
  });
});
