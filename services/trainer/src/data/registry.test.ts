import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DataError } from './errors.ts';
import { classCounts, type LabelledExamples } from './examples.ts';
import { findDatasets, listDatasets, loadDataset } from './registry.ts';
import { hasIdxSet, lacks } from './testing.ts';

const log = vi.fn();

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  log.mockReset();
});

/** As shares of 255. */
function meanValue({ values }: LabelledExamples): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length / 255;
}

it('lists the data sets', () => {
  expect(listDatasets().map(({ id }) => id)).toEqual([
    'fashion-mnist-10k',
    'fashion-mnist',
    'mnist',
    'cifar10',
    'cifar100',
  ]);
});

it('names the data sets that exist when it is asked for another', async () => {
  vi.stubEnv('GLOCAL_DATA_DIR', '');
  await expect(loadDataset('imagenet', { log })).rejects.toEqual(
    new DataError(
      'UNKNOWN_DATASET',
      'there is no data set "imagenet"; one of fashion-mnist-10k, fashion-mnist, mnist, cifar10, cifar100',
    ),
  );
});

describe('fashion-mnist-10k', () => {
  it('is loaded without network, cache or GLOCAL_DATA_DIR', async () => {
    const fetched = vi.fn();
    vi.stubGlobal('fetch', fetched);
    vi.stubEnv('GLOCAL_DATA_DIR', '');
    vi.stubEnv('GLOCAL_CACHE_DIR', join(tmpdir(), 'glocal-no-such-folder'));
    await loadDataset('fashion-mnist-10k', { log });
    expect(fetched).not.toHaveBeenCalled();
    expect(log).not.toHaveBeenCalled();
  });

  it('has 1,000 training and 200 test images of each class, mixed', async () => {
    const { train, test } = await loadDataset('fashion-mnist-10k', { log });
    expect(classCounts(train)).toEqual(Array(10).fill(1_000));
    expect(classCounts(test)).toEqual(Array(10).fill(200));
    // The full set begins with these labels, and the part keeps its order.
    expect([...train.labels.subarray(0, 12)]).toEqual([9, 0, 0, 3, 0, 2, 7, 2, 5, 5, 0, 9]);
    expect([...test.labels.subarray(0, 12)]).toEqual([9, 2, 1, 1, 6, 1, 4, 6, 5, 7, 4, 5]);
  });
});

/** Published figures of the training parts: mean of the values. */
const FULL_SETS = [
  { id: 'mnist', mean: 0.1307, first: [5, 0, 4, 1, 9] },
  { id: 'fashion-mnist', mean: 0.286, first: [9, 0, 0, 3, 0] },
];

describe.each([{ id: 'fashion-mnist-10k' }, ...FULL_SETS])('$id', ({ id }) => {
  it('is what the list says', async ({ skip }) => {
    skip(id !== 'fashion-mnist-10k' && !hasIdxSet(id), lacks(id));
    const { train, test } = await loadDataset(id, { log });
    const { datasets, classSizes } = await findDatasets({ log });
    const info = datasets.find((candidate) => candidate.id === id);
    expect(classSizes.get(id)).toEqual(classCounts(train));
    for (const [part, count] of [
      [train, info?.trainExamples],
      [test, info?.testExamples],
    ] as const) {
      expect(part).toMatchObject({ count, shape: info?.inputShape, classes: info?.classes });
      expect(part.values.length).toBe(part.count * 28 * 28);
      expect(part.labels.length).toBe(part.count);
    }
  });
});

describe.each(FULL_SETS)('$id in GLOCAL_DATA_DIR', ({ id, mean, first }) => {
  it('has the published mean and begins with the known labels', async ({ skip }) => {
    skip(!hasIdxSet(id), lacks(id));
    const { train } = await loadDataset(id, { log });
    expect(meanValue(train)).toBeCloseTo(mean, 4);
    expect([...train.labels.subarray(0, 5)]).toEqual(first);
  });
});
