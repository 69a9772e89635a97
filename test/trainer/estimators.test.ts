/** What each estimator makes of a real training run: the same study, trained five ways by a real trainer and DMD. */

import { DmdOptions, DmdServiceService, Variant, WindowSpec } from '@glocal/proto/glocal/v1/dmd';
import type { Estimator, OuterStep, OuterStepEvent, Study, StudyResult } from '@glocal/sdk';
import { decodeRow, encodeRows } from '@glocal/trainer/dmd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Channel } from '../support/grpc.ts';
import {
  DELAYS,
  OUTER_RATE,
  type QuickSpace,
  quickSpace,
  quickStudy,
  SIGMA,
  VALIDATION,
  WINDOW,
} from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

const OUTER_STEPS = 3;
const ESTIMATORS = ['fixed', 'local', 'mean', 'median', 'glocal'] as const;
const LEARNING = ESTIMATORS.filter((estimator) => estimator !== 'fixed');

/** What a study left, in events, lists and result. */
interface Trained {
  readonly study: Study<QuickSpace>;
  readonly events: readonly OuterStepEvent<QuickSpace>[];
  readonly outerSteps: readonly OuterStep<QuickSpace>[];
  readonly result: StudyResult<QuickSpace>;
}

let trainer: TestTrainer;
let trained: Record<Estimator, Trained>;

beforeAll(async () => {
  trainer = await TestTrainer.start();
  const entries = ESTIMATORS.map(async (estimator) => [estimator, await train(estimator)] as const);
  trained = Object.fromEntries(await Promise.all(entries)) as typeof trained;
});
afterAll(() => trainer[Symbol.asyncDispose]());

async function train(estimator: Estimator): Promise<Trained> {
  const study = await trainer.client.studies.create(quickStudy({ estimator, outerSteps: OUTER_STEPS }));
  const events: OuterStepEvent<QuickSpace>[] = [];
  for await (const event of study.watch()) if (event.type === 'outerStep') events.push(event);
  const outerSteps = await Array.fromAsync(study.outerSteps({ includeWindows: true }));
  return { study, events, outerSteps, result: await study.result() };
}

/** What an estimator that learns has in each outer step. */
function learned(estimator: Estimator) {
  return trained[estimator].outerSteps.map((outerStep) => {
    const { window, update } = outerStep;
    if (window?.hypergradients === undefined || update === undefined) {
      throw new Error(`${outerStep.name} has no window with rows or no update`);
    }
    return { ...outerStep, window, rows: window.hypergradients, update };
  });
}

const column = (rows: readonly Float64Array[], i: number) => rows.map((row) => row[i] as number);
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
const median = (values: readonly number[]) => {
  const sorted = values.toSorted((a, b) => a - b);
  return mean(sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1));
};

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, 12);
  });
}

it('studies of the same training can be compared, and the one with the lowest loss leads', async () => {
  const others = LEARNING.map((estimator) => trained[estimator].study);
  const { studies, obstacles, lead } = await trained.fixed.study.compare(others);
  expect(obstacles).toEqual([]);
  expect(studies.map(({ estimator }) => estimator)).toEqual([...ESTIMATORS]);
  const losses = ESTIMATORS.map(
    (estimator) => trained[estimator].result.best?.averagedValidation?.loss ?? Number.NaN,
  );
  expect(studies.map(({ figures }) => figures.validationLoss?.mean)).toEqual(losses);
  const [lowest = 0, next = 0] = losses.toSorted((a, b) => a - b);
  expect(lead?.study).toBe(studies[losses.indexOf(lowest)]?.name);
  expect(lead?.by).toBe(next - lowest);
  expect(studies.at(-1)?.verdicts).toEqual(trained.glocal.result.trials[0]?.verdicts);
});

describe.each(ESTIMATORS)('a study with the estimator %s', (estimator) => {
  it('trains all its steps, and has figures for validation and test', () => {
    const { result } = trained[estimator];
    expect(result).toMatchObject({ state: 'COMPLETED', stateReason: '1 of 1 trials succeeded' });
    expect(result.trials).toHaveLength(1);
    expect(result.best).toMatchObject({
      state: 'SUCCEEDED',
      stepsDone: OUTER_STEPS * WINDOW,
      outerStepsDone: OUTER_STEPS,
      validation: { examples: VALIDATION },
      test: { examples: 2_000 },
    });
    for (const { loss, accuracy } of [result.best?.validation, result.best?.test].filter((x) => x != null)) {
      expect(loss).toBeGreaterThan(0);
      expect(loss).toBeLessThan(2.5);
      // Better than chance: there are ten classes.
      expect(accuracy).toBeGreaterThan(0.2);
    }
  });

  it('says what computed it, on which data, and when', async () => {
    const { best } = trained[estimator].result;
    expect(best?.backend).toBe((await trainer.client.serverInfo()).backend);
    expect(best?.datasetSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(best?.endTime?.getTime()).toBeGreaterThan(best?.startTime?.getTime() ?? Number.NaN);
  });

  it('numbers its outer steps and their inner steps', () => {
    const { outerSteps, result } = trained[estimator];
    expect(outerSteps.map(({ index, step }) => [index, step])).toEqual([
      [1, WINDOW],
      [2, 2 * WINDOW],
      [3, 3 * WINDOW],
    ]);
    expect(outerSteps.map(({ name, trial }) => [name, trial])).toEqual(
      [1, 2, 3].map((index) => [`${result.best?.name}/outerSteps/${index}`, result.best?.name]),
    );
  });

  it('learns: the losses fall', () => {
    const { outerSteps } = trained[estimator];
    const [first, , last] = outerSteps;
    expect(last?.trainLoss).toBeLessThan(first?.trainLoss ?? Number.NaN);
    expect(last?.validation.loss).toBeLessThan(first?.validation.loss ?? Number.NaN);
  });

  it('goes on in each outer step with the values that the one before moved to', () => {
    const { outerSteps, result } = trained[estimator];
    const { lr, momentum, weightDecay } = quickSpace.parameters;
    expect(outerSteps[0]?.values).toEqual({
      lr: lr.init,
      momentum: momentum.init,
      weightDecay: weightDecay.value,
    });
    expect(outerSteps.slice(1).map(({ values }) => values)).toEqual(
      outerSteps.slice(0, -1).map(({ nextValues }) => nextValues),
    );
    expect(result.best?.values).toEqual(outerSteps.at(-1)?.nextValues);
  });

  it('has the trajectory of its values as schedule', () => {
    const { outerSteps, result } = trained[estimator];
    const { lr, momentum, weightDecay } = quickSpace.parameters;
    expect(result.best?.schedule.points).toEqual([
      { step: 0, values: { lr: lr.init, momentum: momentum.init, weightDecay: weightDecay.value } },
      ...outerSteps.map(({ step, nextValues }) => ({ step, values: nextValues })),
    ]);
  });

  it('keeps every value between its bounds, and fixed ones where they are', () => {
    const { lr, momentum, weightDecay } = quickSpace.parameters;
    for (const { nextValues } of trained[estimator].outerSteps) {
      expect(nextValues.lr).toBeGreaterThanOrEqual(lr.min);
      expect(nextValues.lr).toBeLessThanOrEqual(lr.max);
      expect(nextValues.momentum).toBeGreaterThan(momentum.min);
      expect(nextValues.momentum).toBeLessThan(momentum.max);
      expect(nextValues.weightDecay).toBe(weightDecay.value);
    }
  });

  it('tells of each outer step in an event that equals the stored one but for the rows', () => {
    const { events, outerSteps } = trained[estimator];
    const withoutRows = outerSteps.map(({ window, ...rest }) => ({
      ...rest,
      window: window && { ...window, hypergradients: undefined },
    }));
    expect(events.map(({ type: _type, cursor: _cursor, time: _time, ...step }) => step)).toEqual(withoutRows);
  });

  it('books where the time went', () => {
    for (const { timing } of trained[estimator].outerSteps) {
      expect(timing.training).toBeGreaterThan(0);
      expect(timing.other).toBeGreaterThan(0);
      expect(timing.hypergradients > 0).toBe(estimator !== 'fixed');
      expect(timing.dmd > 0).toBe(estimator === 'glocal');
    }
  });
});

describe('the estimator fixed', () => {
  it('has neither windows nor updates', () => {
    for (const { window, report, verdict, update } of trained.fixed.outerSteps) {
      expect({ window, report, verdict, update }).toEqual({});
    }
  });

  it('moves nothing', () => {
    const { outerSteps } = trained.fixed;
    for (const { values, nextValues } of outerSteps) {
      expect(nextValues).toEqual(values);
      expect(nextValues).toEqual(outerSteps[0]?.values);
    }
  });
});

describe.each(LEARNING)('the estimator %s', (estimator) => {
  it('takes the hypergradients of the differentiable hyperparameters at the last steps of each window', () => {
    const rows = estimator === 'local' ? 1 : SIGMA;
    for (const { step, window, rows: taken } of learned(estimator)) {
      expect(window).toMatchObject({ components: ['lr', 'momentum'], rows, firstStep: step - rows + 1 });
      expect(taken.map((row) => row.length)).toEqual(Array(rows).fill(2));
      expect(taken.every((row) => row.every((x) => Number.isFinite(x) && x !== 0))).toBe(true);
    }
  });

  it('moves down the hypergradient by the outer rate in the first step, as Adam does', () => {
    const [first] = learned(estimator);
    if (first === undefined) throw new Error('no outer step');
    const { values, nextValues, update } = first;
    const { max } = quickSpace.parameters.momentum;
    const logit = (value: number) => Math.log(value / (max - value));
    const moves = [
      Math.log(nextValues.lr) - Math.log(values.lr),
      logit(nextValues.momentum) - logit(values.momentum),
    ];
    expect(update.rate).toBe(OUTER_RATE);
    moves.forEach((move, i) => {
      expect(move).toBeCloseTo(-OUTER_RATE * Math.sign(update.hypergradient[i] as number), 5);
    });
  });

  it('says in a sentence why it moved as it did', () => {
    for (const { update } of learned(estimator)) {
      expect(update.reason).toMatch(/\w+ \w+/);
      expect(update).toMatchObject({ rolledBack: false, clipped: [] });
    }
  });

  it('counts verdicts only of windows that were decomposed', () => {
    const counts = Object.values(trained[estimator].result.best?.verdicts ?? {});
    const total = counts.reduce((sum, count) => sum + count, 0);
    expect(total).toBe(estimator === 'glocal' ? OUTER_STEPS : 0);
  });
});

it('the estimators see the same hypergradients where they have trained the same', () => {
  const [local, ...others] = LEARNING.map((estimator) => learned(estimator)[0]?.rows.at(-1));
  expect(local).toHaveLength(2);
  for (const row of others) expect(row).toEqual(local);
});

it('the estimator local moves by the one hypergradient of its window', () => {
  for (const { rows, update } of learned('local')) {
    expect(update.sources).toEqual(['local', 'local']);
    expect(update.hypergradient).toEqual(Array.from(rows[0] ?? []));
  }
});

it('the estimator mean moves by the mean of its window', () => {
  for (const { rows, update } of learned('mean')) {
    expect(update.sources).toEqual(['mean', 'mean']);
    expectClose(
      update.hypergradient,
      [0, 1].map((i) => mean(column(rows, i))),
    );
  }
});

it('the estimator median moves by the median of each component of its window', () => {
  for (const { rows, update } of learned('median')) {
    expect(update.sources).toEqual(['median', 'median']);
    expectClose(
      update.hypergradient,
      [0, 1].map((i) => median(column(rows, i))),
    );
  }
});

describe('the estimator glocal', () => {
  /** With the report, which all of them have. */
  const windows = () =>
    learned('glocal').map((outerStep) => {
      if (outerStep.report === undefined) throw new Error(`${outerStep.name} has no report`);
      return { ...outerStep, report: outerStep.report };
    });

  it('has a report on each window: of its last row, its mean and its median', () => {
    for (const { rows, report, verdict } of windows()) {
      expect(report.verdict).toBe(verdict);
      expect(report.verdictReason).not.toBe('');
      expect(report.last).toEqual(rows.at(-1));
      expectClose(
        [...report.mean],
        [0, 1].map((i) => mean(column(rows, i))),
      );
      expectClose(
        [...report.median],
        [0, 1].map((i) => median(column(rows, i))),
      );
    }
  });

  it('has the spectrum of each window: modes with eigenvalues, rank and residuals', () => {
    for (const { report } of windows()) {
      const { modes, rank, singularValues, spectralRadius, pairResidual } = report.spectrum;
      expect(modes).toHaveLength(rank);
      expect(singularValues.length).toBeGreaterThanOrEqual(rank);
      const sizes = modes.map(({ eigenvalue }) => Math.hypot(eigenvalue.re, eigenvalue.im));
      expect(spectralRadius).toBeCloseTo(Math.max(...sizes), 9);
      expect(pairResidual).toBeGreaterThanOrEqual(0);
    }
  });

  it('stores the answer that the DMD service gives for the stored rows', async () => {
    using dmd = new Channel((await trainer.client.serverInfo()).dmdAddress);
    const spec = WindowSpec.create({
      rows: SIGMA,
      components: 2,
      options: DmdOptions.create({ variant: Variant.AFFINE, delays: DELAYS }),
    });
    for (const { rows, report } of windows()) {
      const request = { spec, hypergradients: encodeRows(rows) };
      const answer = await dmd.unary(DmdServiceService.analyzeWindow, request);
      expect(answer.report?.glocal && decodeRow(answer.report.glocal)).toEqual(report.glocal);
    }
  });

  it('moves by the estimate where it can be trusted, and by the mean elsewhere', () => {
    const sources = windows().map(({ update, report }) => {
      update.sources.forEach((source, i) => {
        const trusted = report.glocal !== undefined && report.componentTrusted[i];
        expect(source).toBe(trusted ? 'glocal' : 'mean');
        expect(update.hypergradient[i]).toBeCloseTo(
          (source === 'glocal' ? report.glocal?.[i] : report.mean[i]) ?? Number.NaN,
          12,
        );
      });
      return update.sources;
    });
    // Else this study would not show what it is to show.
    expect(sources.flat()).toContain('glocal');
  });

  it('counts how often each verdict came', () => {
    const counts = trained.glocal.result.best?.verdicts;
    for (const [verdict, count] of Object.entries(counts ?? {})) {
      expect(count, verdict).toBe(windows().filter((window) => window.verdict === verdict).length);
    }
  });
});
