import type { ListProblemsResponse } from '@glocal/proto/glocal/v1/study_service';
import { describe, expect, it } from 'vitest';
import { type Listed, listProblems } from './problems.ts';

const info = (id: string, description = '') => ({ id, description });

const catalogue = (datasets: number, description = ''): Listed => ({
  datasets: Array.from({ length: datasets }, (_, i) => ({
    ...info(`data-${i}`, description),
    trainExamples: 1,
    testExamples: 1,
    classes: 2,
    inputShape: [1],
    files: undefined,
  })),
  models: [{ info: { ...info('lenet'), parameters: 10 } }],
  optimizers: [{ ...info('sgd'), hyperparameters: [], averages: false }],
  lossHyperparameters: [
    {
      ...{ name: 'smoothing', description: '', min: 0, max: 1, defaultValue: 0, groupings: [] },
      setting: false,
    },
  ],
});

/** All pages of this size. */
function pagesOf(all: Listed, pageSize: number): ListProblemsResponse[] {
  const pages: ListProblemsResponse[] = [];
  let pageToken = '';
  do {
    const page = listProblems(all, { pageSize, pageToken });
    pages.push(page);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return pages;
}

describe('the catalogue', () => {
  it('comes on one page where it fits a message', () => {
    const [page, ...others] = pagesOf(catalogue(3), 0);
    expect(others).toEqual([]);
    expect(page?.datasets).toHaveLength(3);
    expect(page?.models.map(({ id }) => id)).toEqual(['lenet']);
    expect(page?.optimizers.map(({ id }) => id)).toEqual(['sgd']);
    expect(page?.lossHyperparameters.map(({ name }) => name)).toEqual(['smoothing']);
  });

  it.each([1, 2, 4])('comes whole and in order in pages of %i', (pageSize) => {
    const pages = pagesOf(catalogue(3), pageSize);
    expect(pages).toHaveLength(Math.ceil(6 / pageSize));
    const ids = pages.flatMap(({ datasets, models, optimizers }) => [...datasets, ...models, ...optimizers]);
    expect(ids.map(({ id }) => id)).toEqual(['data-0', 'data-1', 'data-2', 'lenet', 'sgd']);
    expect(pages.flatMap((page) => page.lossHyperparameters)).toHaveLength(1);
  });

  it('comes in pages where it does not fit a message', () => {
    const pages = pagesOf(catalogue(100, 'x'.repeat(100_000)), 0);
    expect(pages.length).toBeGreaterThan(2);
    expect(pages.flatMap(({ datasets }) => datasets)).toHaveLength(100);
  });
});
