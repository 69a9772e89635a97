import { describe, expect, it } from 'vitest';
import { loadCatalogue } from './catalogue.ts';

describe('the catalogue', () => {
  it('knows the size of a model on a data set, before anything is built', async () => {
    const { datasets, models } = await loadCatalogue({ modelDir: undefined, log: () => {} });
    const dataset = datasets.find(({ id }) => id === 'fashion-mnist-10k');
    const lenet = models.find(({ info }) => info.id === 'lenet');
    expect(dataset && lenet?.size(dataset)).toEqual({ layers: 4, weights: 15_386 });
  });

  it('knows the sizes of the classes of each data set', async () => {
    const { datasets, classSizes } = await loadCatalogue({ modelDir: undefined, log: () => {} });
    for (const { id, classes, trainExamples } of datasets) {
      const sizes = classSizes.get(id) ?? [];
      expect(sizes).toHaveLength(classes);
      expect(sizes.reduce((a, b) => a + b, 0)).toBe(trainExamples);
    }
  });
});
