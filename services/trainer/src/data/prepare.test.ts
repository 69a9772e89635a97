import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from './errors.ts';
import { allIndices, batchOf, type LabelledExamples, labelsOf, toFloat32 } from './examples.ts';
import { imbalancedCounts } from './imbalance.ts';
import { type PrepareOptions, prepare } from './prepare.ts';
import { type Dataset, loadDataset } from './registry.ts';
import { splitStratified } from './split.ts';

const CLASSES = 4;

/** Images of 2×2 pixels whose values say which image it is. */
function images(count: number): LabelledExamples {
  return {
    count,
    shape: [2, 2, 1],
    classes: CLASSES,
    values: Float32Array.from({ length: count * 4 }, (_, position) => 1 + Math.floor(position / 4)),
    labels: Int32Array.from({ length: count }, (_, index) => index % CLASSES),
  };
}

const dataset: Dataset = { train: images(200), test: images(40) };
const options: PrepareOptions = { seed: 3, batchSize: 16, validationExamples: 40 };

/** All that is trained on in one epoch, or a little more. */
function epoch(changes: Partial<PrepareOptions>) {
  const { train } = prepare(dataset, { ...options, ...changes });
  return Array.from({ length: Math.ceil(train.count / options.batchSize) }, (_, step) => train.at(step));
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b) / values.length;
function deviation(values: ArrayLike<number>): number {
  const center = mean(values);
  return Math.sqrt(mean(Array.from(values, (value) => (value - center) ** 2)));
}

describe('without transformations', () => {
  it('gives the split, the mini-batches and the test part as they are', () => {
    const { train, validation, test } = prepare(dataset, options);
    const split = splitStratified(dataset.train, options);
    expect([train.count, validation.count, test.count]).toEqual([160, 40, 40]);
    expect(validation.all()).toEqual(batchOf(dataset.train, split.validation));
    expect(test.all()).toEqual(batchOf(dataset.test, allIndices(dataset.test)));
    const seen = new Set(epoch({}).flatMap(({ values }) => [...values]));
    expect(seen).toEqual(new Set(toFloat32(dataset.train, split.train)));
  });

  it('gives the embedded set as the learner had it', async () => {
    const fashion = await loadDataset('fashion-mnist-10k', { log: () => {} });
    const { train } = prepare(fashion, { seed: 0, batchSize: 128, validationExamples: 1_000 });
    const { count, values, labels } = train.at(70);
    expect(count).toBe(128);
    expect(values.length).toBe(128 * 28 * 28);
    expect(Math.max(...values)).toBeLessThanOrEqual(1);
    expect(labels.every((label) => label >= 0 && label < 10)).toBe(true);
  });
});

describe('standardize', () => {
  it('uses means and deviations of the examples that are trained on, and of no others', () => {
    const { train, validation, test } = prepare(dataset, { ...options, standardize: true });
    const split = splitStratified(dataset.train, options);
    const raw = toFloat32(dataset.train, split.train);
    const [center, spread] = [mean(raw), deviation(raw)];
    const close = (found: Float32Array, before: Float32Array) => {
      for (const [position, value] of before.entries()) {
        expect(found[position]).toBeCloseTo((value - center) / spread, 5);
      }
    };
    close(validation.all().values, toFloat32(dataset.train, split.validation));
    close(test.all().values, toFloat32(dataset.test, allIndices(dataset.test)));
    const batches = Array.from({ length: 10 }, (_, step) => [...train.at(step).values]).flat();
    expect(mean(batches)).toBeCloseTo(0, 5);
    expect(deviation(batches)).toBeCloseTo(1, 5);
  });

  it('is as the data set says where the options do not', () => {
    const values = (data: Dataset, standardize?: boolean) =>
      prepare(data, { ...options, standardize }).test.all().values;
    const standardizing = { ...dataset, standardize: true };
    expect(values(standardizing)).toEqual(values(dataset, true));
    expect(values(standardizing, false)).toEqual(values(dataset));
  });
});

describe('imbalanceFactor', () => {
  it('leaves fewer and fewer of each class to train on, and validation and test as they are', () => {
    const { train, validation, test } = prepare(dataset, { ...options, imbalanceFactor: 8 });
    const counts = imbalancedCounts(40, CLASSES, 8);
    expect(train.count).toBe(counts.reduce((a, b) => a + b));
    const trained = new Map(
      epoch({ imbalanceFactor: 8 }).flatMap(({ values, labels }) =>
        [...labels].map((label, image) => [values[4 * image], label] as const),
      ),
    );
    const found = counts.map((_, label) => [...trained.values()].filter((other) => other === label).length);
    expect(found).toEqual(counts);
    expect(validation.all()).toEqual(prepare(dataset, options).validation.all());
    expect(test.count).toBe(40);
  });

  it('tells the shares of the classes that are left, with the labels that are trained on', () => {
    const counts = imbalancedCounts(40, CLASSES, 8);
    const all = counts.reduce((a, b) => a + b);
    const { classShares } = prepare(dataset, { ...options, imbalanceFactor: 8 }).train;
    expect(classShares).toEqual(counts.map((count) => count / all));
    const noisy = { ...options, labelNoise: 0.4 };
    const labels = epoch(noisy).flatMap((batch) => [...batch.labels]);
    const found = prepare(dataset, noisy).train.classShares;
    for (const [c, share] of found.entries())
      expect(labels.filter((label) => label === c).length / labels.length).toBeCloseTo(share, 1);
  });

  it('standardises by what is left', () => {
    const batches = epoch({ imbalanceFactor: 8, standardize: true });
    const distinct = new Set(batches.flatMap(({ values }) => [...values]));
    expect(mean([...distinct])).toBeCloseTo(0, 5);
  });

  it('refuses a batch that the rest does not fill', () => {
    expect(() => prepare(dataset, { ...options, imbalanceFactor: 8, batchSize: 86 })).toThrow(
      new DataError('TOO_FEW_EXAMPLES', '85 training examples do not fill a batch of 86'),
    );
  });
});

describe('labelNoise', () => {
  /** Label by image, of all that is trained on. */
  const labelsByImage = (changes: Partial<PrepareOptions>) =>
    new Map(
      epoch(changes).flatMap(({ values, labels }) =>
        [...labels].map((label, image) => [values[4 * image] as number, label] as const),
      ),
    );

  it('makes the share of the training labels wrong, after the imbalance, and none for validation and test', () => {
    const cases = fc.record({
      labelNoise: fc.double({ min: 0, max: 1, noNaN: true }),
      imbalanceFactor: fc.constantFrom(1, 4),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, ({ labelNoise, ...others }) => {
        const plain = prepare(dataset, { ...options, ...others });
        const noisy = prepare(dataset, { ...options, ...others, labelNoise });
        const right = labelsByImage(others);
        const found = labelsByImage({ ...others, labelNoise });
        const wrong = [...found].filter(([image, label]) => label !== right.get(image));
        expect([...found.keys()]).toEqual([...right.keys()]);
        expect(wrong).toHaveLength(Math.round(labelNoise * plain.train.count));
        expect(noisy.validation.all()).toEqual(plain.validation.all());
        expect(noisy.validation.sample(10, 5, 7)).toEqual(plain.validation.sample(10, 5, 7));
        expect(noisy.test.all()).toEqual(plain.test.all());
      }),
      { numRuns: 30 },
    );
  });

  it('gives an image the same wrong label in each epoch, and after a resume at any step', () => {
    const noisy = { ...options, labelNoise: 0.4 };
    const { train } = prepare(dataset, noisy);
    const known = labelsByImage({ labelNoise: 0.4 });
    const steps = Array.from({ length: 25 }, (_, step) => step);
    const uninterrupted = steps.map((step) => train.at(step));
    for (const { values, labels } of uninterrupted) {
      for (const [image, label] of labels.entries()) {
        expect(label).toBe(known.get(values[4 * image] as number));
      }
    }
    for (const step of [0, 7, 10, 24]) {
      expect(prepare(dataset, noisy).train.at(step)).toEqual(uninterrupted[step]);
    }
  });
});

describe('augmentation', () => {
  const augmentation = { cropPadding: 1, flip: true };

  it('crops and flips what is trained on, and nothing else', () => {
    const plain = prepare(dataset, options);
    const changed = prepare(dataset, { ...options, augmentation });
    expect(changed.train.at(0).labels).toEqual(plain.train.at(0).labels);
    expect(changed.train.at(0).values).not.toEqual(plain.train.at(0).values);
    expect(changed.validation.all()).toEqual(plain.validation.all());
    expect(changed.test.all()).toEqual(plain.test.all());
  });

  it('goes on from any step with the same images', () => {
    const steps = [0, 1, 2, 30, 31];
    const { train } = prepare(dataset, { ...options, augmentation });
    const uninterrupted = steps.map((step) => train.at(step));
    for (const [position, step] of steps.entries()) {
      expect(prepare(dataset, { ...options, augmentation }).train.at(step)).toEqual(uninterrupted[position]);
    }
  });

  it('crops an image otherwise when it comes again', () => {
    const { train } = prepare(dataset, { ...options, batchSize: 160, augmentation });
    const crops = (epoch: number) => {
      const { values } = train.at(epoch);
      const images = Array.from({ length: 160 }, (_, image) => [
        ...values.subarray(4 * image, 4 * image + 4),
      ]);
      return images.sort((a, b) => Math.max(...a) - Math.max(...b));
    };
    expect(crops(0)).not.toEqual(crops(1));
    expect(crops(0).map((crop) => Math.max(...crop))).toEqual(crops(1).map((crop) => Math.max(...crop)));
  });

  it('pads with black before it standardises', () => {
    const { train } = prepare(dataset, { ...options, augmentation, standardize: true });
    const raw = toFloat32(dataset.train, splitStratified(dataset.train, options).train);
    const black = Math.fround(-mean(raw) / deviation(raw));
    expect(Math.min(...train.at(0).values)).toBeCloseTo(black, 5);
  });

  it('refuses tables', () => {
    const table = { ...dataset.train, shape: [4] };
    expect(() => prepare({ train: table, test: table }, { ...options, augmentation })).toThrow(DataError);
  });
});

describe('sample', () => {
  it('gives some of the validation examples for each step, the same again after a resume', () => {
    const { validation } = prepare(dataset, { ...options, standardize: true });
    const again = prepare(dataset, { ...options, standardize: true }).validation;
    const all = new Set(validation.all().values);
    expect(validation.sample(10, 5, 7)).toEqual(again.sample(10, 5, 7));
    expect(validation.sample(10, 5, 7)).toMatchObject({ count: 10, shape: [2, 2, 1] });
    expect(validation.sample(10, 5, 7).values.every((value) => all.has(value))).toBe(true);
    const others = [validation.sample(10, 5, 8), validation.sample(10, 6, 7)];
    for (const other of others) expect(other).not.toEqual(validation.sample(10, 5, 7));
  });
});

it('changes nothing in the data set', () => {
  const before = structuredClone(dataset);
  const { train, validation, test } = prepare(dataset, {
    ...options,
    standardize: true,
    imbalanceFactor: 4,
    labelNoise: 0.4,
    augmentation: { cropPadding: 1, flip: true },
  });
  for (const step of [0, 1]) train.at(step);
  validation.all();
  test.all();
  expect(dataset).toEqual(before);
});

it('takes labels along', () => {
  const { train } = prepare(dataset, options);
  const { values, labels } = train.at(3);
  const indices = Array.from({ length: 16 }, (_, image) => (values[4 * image] as number) - 1);
  expect(labels).toEqual(labelsOf(dataset.train, indices));
});

it.each([
  [{ validationExamples: 200 }, '200 validation examples cannot be taken from 200 training examples'],
  [{ batchSize: 161 }, '160 training examples do not fill a batch of 161'],
])('refuses %j', (changes, message) => {
  expect(() => prepare(dataset, { ...options, ...changes })).toThrow(
    new DataError('TOO_FEW_EXAMPLES', message),
  );
});
