/** Ways to train and to differentiate that a study can ask for, through the SDK and both services. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  fixed,
  float,
  type Method,
  network,
  type ParameterMap,
  type Problem,
  type Space,
  type StudyResult,
  space,
  vector,
} from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quickSpace, quickStudy, WINDOW } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const cleanUp = new AsyncDisposableStack();
let trainer: TestTrainer;

/** Three bells in a plane, one for each class, in reading order. */
const table = () => {
  const rows = Array.from({ length: 240 }, (_, i) => {
    const label = i % 3;
    const angle = (2 * Math.PI * label) / 3;
    const wobble = (k: number) => Math.sin(12.9898 * (i + 1) * k) * 0.4;
    return `${10 + Math.cos(angle) + wobble(1)},${Math.sin(angle) + wobble(2)},${'abc'[label]}`;
  });
  return `x,y,bell\n${rows.join('\n')}\n`;
};

beforeAll(async () => {
  const { path } = cleanUp.use(await temporaryFolder());
  for (const id of ['bells', 'torn']) await mkdir(join(path, id));
  const manifest = {
    format: 'csv',
    train: 'bells.csv',
    testFraction: 0.25,
    label: 'bell',
    classes: ['a', 'b', 'c'],
    standardize: true,
  };
  for (const id of ['bells', 'torn']) {
    await writeFile(join(path, id, 'dataset.json'), JSON.stringify(manifest));
  }
  await writeFile(join(path, 'bells/bells.csv'), table());
  await writeFile(join(path, 'torn/bells.csv'), table().replace('\n', '\n1,two,a\n'));
  trainer = cleanUp.use(await TestTrainer.start({ env: { GLOCAL_DATA_DIR: path } }));
});
afterAll(() => cleanUp.disposeAsync());

/** Trains a quick study with other parts, and gives what came out with its outer steps. */
async function train<P extends ParameterMap>(
  parts: {
    space: Space<P>;
    method?: Partial<Method>;
    problem?: Partial<Problem>;
  },
  outerSteps = 3,
) {
  const quick = quickStudy({ outerSteps });
  const study = await trainer.client.studies.create({
    ...quick,
    space: parts.space,
    problem: { ...quick.problem, ...parts.problem },
    method: { ...quick.method, ...parts.method },
  });
  const result: StudyResult<P> = await study.result();
  expect(result.stateReason).toBe('1 of 1 trials succeeded');
  const steps = await Array.fromAsync(study.outerSteps({ includeWindows: true }));
  return { study, result, steps, first: steps[0], last: steps.at(-1) };
}

describe('a hyperparameter with a value for each layer', () => {
  it('moves them on their own', async () => {
    const { result, first, last } = await train({
      space: space({
        lr: vector({ per: 'layer', min: 1e-3, max: 1, init: 0.02, scale: 'log' }),
        momentum: fixed(0.5),
      }),
    });
    expect(first?.window?.components).toEqual(['lr/dense1', 'lr/dense2']);
    const [one, two] = last?.nextValues.lr ?? [];
    expect(one).not.toBe(two);
    expect(result.best?.schedule.columns).toEqual(['lr/dense1', 'lr/dense2', 'momentum', 'weightDecay']);
    expect(result.best?.schedule.points[0]?.values.lr.map((lr) => lr.toFixed(9))).toEqual([
      '0.020000000',
      '0.020000000',
    ]);
  });
});

describe('hyperparameters of the loss', () => {
  it('are learned beside those of the optimizer', async () => {
    const { first, last } = await train({
      space: space({
        lr: fixed(0.05),
        labelSmoothing: float({ min: 0, max: 0.5, init: 0.1 }),
        l2: float({ min: 1e-6, max: 0.1, init: 1e-3, scale: 'log' }),
        classWeights: vector({ per: 'class', min: 0.1, max: 3, init: 1 }),
      }),
    });
    expect(first?.window?.components).toHaveLength(1 + 1 + 10);
    expect(last?.nextValues.labelSmoothing).not.toBeCloseTo(0.1, 3);
    expect(new Set(last?.nextValues.classWeights).size).toBe(10);
  });

  it('may be the 385 weights of a network, and then derivatives go in reverse', async () => {
    const { first, last, result } = await train(
      { space: space({ lr: fixed(0.05), reweighting: network({ detached: true }) }) },
      2,
    );
    expect(first?.window).toMatchObject({ rows: 10, stride: 1 });
    expect(first?.window?.components.at(-1)).toBe('reweighting/384');
    expect(first?.differentiation).toMatchObject({ used: 'reverse', forwardGradients: 2 * 385 * WINDOW });
    expect(last?.nextValues.reweighting).toHaveLength(385);
    expect(result.best?.values.reweighting).toEqual(last?.nextValues.reweighting);
  });
});

describe('the two ways of differentiation', () => {
  it('agree on a whole window', async () => {
    const rows = async (differentiation: 'forward' | 'reverse') => {
      const { first } = await train({ space: quickSpace, method: { differentiation } }, 1);
      expect(first?.differentiation?.used).toBe(differentiation);
      return first?.window?.hypergradients ?? [];
    };
    const [forward, reverse] = [await rows('forward'), await rows('reverse')];
    expect(forward).toHaveLength(10);
    forward.forEach((row, t) => {
      row.forEach((value, k) => {
        expect(reverse[t]?.[k]).toBeCloseTo(value, 5);
      });
    });
  });

  it('may differ when reverse goes back a few steps only', async () => {
    const method = { differentiation: 'reverse', reverseSteps: 2, estimator: 'local' } as const;
    const { first: truncated } = await train({ space: quickSpace, method }, 1);
    const { first: whole } = await train(
      { space: quickSpace, method: { ...method, reverseSteps: WINDOW } },
      1,
    );
    const [a, b] = [truncated, whole].map((step) => step?.window?.hypergradients?.[0]?.[0]);
    expect(a).not.toBeCloseTo(b as number, 3);
  });
});

describe('evaluation', () => {
  it('at averaged weights sees other hypergradients, and figures come at both points whatever it is', async () => {
    const at = async (evaluation: 'averaged' | 'last_iterate') =>
      (await train({ space: quickSpace, method: { evaluation } }, 1)).first;
    const [averaged, raw] = [await at('averaged'), await at('last_iterate')];
    expect(averaged?.validation).toEqual(raw?.validation);
    expect(averaged?.averagedValidation).toEqual(raw?.averagedValidation);
    expect(averaged?.averagedValidation.loss).not.toBe(averaged?.validation.loss);
    expect(averaged?.window?.hypergradients).not.toEqual(raw?.window?.hypergradients);
  });

  it('with a stride takes the same hypergradients, fewer of them', async () => {
    const every = await train({ space: quickSpace, method: { sigma: 7 } }, 1);
    const third = await train({ space: quickSpace, method: { sigma: 3, stride: 3, dmd: { delays: 2 } } }, 1);
    expect(third.first?.window).toMatchObject({ rows: 3, stride: 3, firstStep: WINDOW - 6 });
    const rows = every.first?.window?.hypergradients ?? [];
    expect(third.first?.window?.hypergradients).toEqual([rows[0], rows[3], rows[6]]);
    expect(third.first?.report?.verdict).toBeDefined();
  });

  it('on a sample draws other examples for each hypergradient, and the same ones again from the same seed', async () => {
    const sampled = async (validationSeed: number) =>
      (await train({ space: quickSpace, method: { validationSample: 20, validationSeed } }, 1)).first?.window
        ?.hypergradients;
    const [one, again, other] = [await sampled(1), await sampled(1), await sampled(2)];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('with second derivatives on some examples trains as before, and sees other hypergradients for less', async () => {
    const of = async (method: Partial<Method>) => (await train({ space: quickSpace, method }, 1)).first;
    const [whole, part] = [await of({}), await of({ tangentExamples: 8 })];
    expect(part?.trainLoss).toBeCloseTo(whole?.trainLoss ?? Number.NaN, 4);
    expect(part?.window?.hypergradients).not.toEqual(whole?.window?.hypergradients);
    const share = 8 / (quickStudy().problem.batchSize ?? Number.NaN);
    const { forwardGradients = Number.NaN } = whole?.differentiation ?? {};
    expect(part?.differentiation?.forwardGradients).toBeCloseTo(forwardGradients * share, 9);
  });

  it('carries a share of the sensitivity over when asked to', async () => {
    const rows = async (sensitivityDiscount: number) =>
      (await train({ space: quickSpace, method: { sensitivityDiscount } }, 2)).steps.map(
        ({ window }) => window?.hypergradients,
      );
    const [reset, carried] = [await rows(0), await rows(0.5)];
    expect(carried[0]).toEqual(reset[0]);
    expect(carried[1]).not.toEqual(reset[1]);
  });
});

describe('the estimator global', () => {
  it('trains from scratch for each update', async () => {
    const quick = quickStudy();
    const study = await trainer.client.studies.create({
      ...quick,
      training: { steps: WINDOW, seeds: [1] },
      method: { estimator: 'global', trainings: 3 },
    });
    const { best, stateReason } = await study.result();
    expect(stateReason).toBe('1 of 1 trials succeeded');
    const steps = await Array.fromAsync(study.outerSteps());
    expect(steps.map(({ step, window }) => [step, window?.rows])).toEqual([
      [WINDOW, 1],
      [2 * WINDOW, 1],
      [3 * WINDOW, 1],
    ]);
    expect(best?.stepsDone).toBe(3 * WINDOW);
    // More learning helps so short a training: each one has a higher rate, and ends lower.
    const losses = steps.map(({ validation }) => validation.loss);
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
  });
});

describe.each([
  ['sgd-nesterov', { momentum: float({ min: 0, max: 0.99, init: 0.5 }) }],
  ['sgdw', { weightDecay: float({ min: 1e-6, max: 0.1, init: 1e-3, scale: 'log' }) }],
  ['rmsprop', { rho: float({ min: 0.5, max: 0.999, init: 0.9 }) }],
  ['adam', { beta1: float({ min: 0.5, max: 0.99, init: 0.9 }) }],
  ['adamw', { epsilon: float({ min: 1e-9, max: 1e-3, init: 1e-8, scale: 'log' }) }],
  ['schedule-free', { beta: float({ min: 0, max: 1, init: 0.9 }) }],
  ['schedule-free-adamw', { beta: float({ min: 0, max: 1, init: 0.9 }) }],
] as const)('the optimizer %s', (optimizer, own) => {
  it('trains with its hyperparameters learned', async () => {
    const { result, last } = await train({
      space: space({ lr: float({ min: 1e-5, max: 0.1, init: 2e-3, scale: 'log' }), ...own }),
      problem: { optimizer },
    });
    expect(result.best?.validation?.loss).toBeLessThan(2.3);
    expect(last?.window?.components).toEqual(['lr', ...Object.keys(own)]);
  });
});

describe('data', () => {
  it("of the user's is in the catalogue, and trains", async () => {
    const { datasets } = await trainer.client.problems();
    expect(datasets.find(({ id }) => id === 'bells')).toMatchObject({ classes: 3, inputShape: [2] });
    const { result } = await train(
      {
        space: quickSpace,
        problem: { dataset: 'bells', model: 'logistic', batchSize: 16, validationExamples: 30 },
        method: { estimator: 'local' },
      },
      6,
    );
    expect(result.best?.test?.accuracy).toBeGreaterThan(0.8);
  });

  it('that is broken is refused, with file and line', async () => {
    const quick = quickStudy();
    const refused = trainer.client.studies.create({
      ...quick,
      problem: { ...quick.problem, dataset: 'torn' },
    });
    await expect(refused).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      fieldViolations: [
        { field: 'problem.dataset', description: expect.stringMatching(/torn.bells\.csv.*line 2.*two/) },
      ],
    });
  });

  it('may be standardised, made imbalanced, mislabelled, cropped and mirrored, each of which changes the training', async () => {
    const problems: Partial<Problem>[] = [
      {},
      { standardize: true },
      { imbalanceFactor: 20 },
      { labelNoise: 0.4 },
      { augmentation: { cropPadding: 2 } },
      { augmentation: { horizontalFlip: true } },
    ];
    const losses: number[] = [];
    for (const problem of problems) {
      const { first } = await train({ space: quickSpace, problem, method: { estimator: 'fixed' } }, 1);
      losses.push(first?.trainLoss ?? Number.NaN);
    }
    expect(new Set(losses).size).toBe(problems.length);
  });
});
