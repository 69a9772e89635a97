/** The outer loops that a client has a part in, with a real trainer. */

import {
  adam,
  type ExternalLoop,
  float,
  type GlocalClient,
  type OuterStep,
  type ParameterMap,
  type Study,
  space,
  vector,
} from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;
let client: GlocalClient;
beforeAll(async () => {
  trainer = await TestTrainer.start();
  client = trainer.client;
});
afterAll(() => trainer[Symbol.asyncDispose]());

describe('Adam of the client', () => {
  const WINDOWS = 4;
  const start = (mode: 'managed' | 'driven') =>
    client.studies.create({
      space: space({
        lr: float({ min: 1e-3, max: 1, init: 0.02, scale: 'log' }),
        momentum: float({ min: 0, max: 0.95, init: 0.1 }),
        classWeights: vector({ per: 'class', min: 0, max: 2, init: 1, scale: 'linear' }),
      }),
      problem: {
        dataset: 'fashion-mnist-10k',
        model: 'mlp',
        optimizer: 'sgd',
        batchSize: 16,
        validationExamples: 50,
      },
      training: { steps: 8 * WINDOWS },
      method: {
        ...{ estimator: 'glocal', window: 8, sigma: 6, dmd: { delays: 2 } },
        outer: {
          rate: 0.3,
          beta1: 0.8,
          beta2: 0.9,
          epsilon: 1e-8,
          schedule: 'constant',
          normalize: false,
          maxLossRise: 0,
        },
      },
      mode,
    });

  /** Values after each outer step. */
  async function pathOf<P extends ParameterMap>(study: Study<P>): Promise<number[][]> {
    const steps: OuterStep<P>[] = [];
    for await (const step of study.outerSteps()) steps.push(step);
    return steps.map(({ nextValues }) =>
      (Object.values(nextValues) as (number | readonly number[])[]).flat(),
    );
  }

  it('takes the path of the service when it is set up alike', { timeout: 180_000 }, async () => {
    const managed = await start('managed');
    const driven = await start('driven');
    const optimizer = adam({ rate: 0.3, beta1: 0.8, beta2: 0.9, epsilon: 1e-8 });
    for await (const window of driven.drive()) await window.set(optimizer.next(window));
    await managed.result();
    const [expected, taken] = [await pathOf(managed), await pathOf(driven)];
    expect(taken).toHaveLength(WINDOWS);
    expect(taken.flat()).toEqual(expected.flat().map((value) => expect.closeTo(value, 9)));
    expect(new Set(taken.map(([lr]) => lr)).size).toBe(WINDOWS);
  });
});

describe('an external loop', () => {
  const WINDOW = 10;
  const mySpace = space({
    mix: vector({ size: 2, min: 0, max: 1, init: 0.5 }),
    rate: float({ min: -4, max: 4, init: 2, scale: 'linear' }),
  });
  type Loop = ExternalLoop<typeof mySpace.parameters>;
  const options = (requestId: string) =>
    ({
      space: mySpace,
      steps: 3 * WINDOW,
      window: WINDOW,
      sigma: 4,
      stride: 2,
      dmd: { delays: 2 },
      requestId,
    }) as const;
  const open = (name: string): Promise<Loop> => client.external(options(name));

  /** Of a quadratic whose minimum is at 0.2 for `mix` and 1 for `rate`; the same for the same step and values. */
  const slope = ({ values }: Loop, step: number): number[] =>
    [...values.mix.map((value) => value - 0.2), values.rate - 1].map(
      (h, k) => h + 0.01 * Math.sin(31 * step + 7 * k),
    );

  /** Trains from where it is. @returns values after each window */
  async function train(loop: Loop, until = loop.steps): Promise<string[]> {
    const seen: string[] = [];
    for (let step = loop.nextStep; step < until; step++) {
      const outerStep = loop.wants(step) ? await loop.report(step, slope(loop, step)) : undefined;
      if (outerStep !== undefined) seen.push(`${outerStep.step}: ${JSON.stringify(outerStep.nextValues)}`);
    }
    return seen;
  }

  it('says which steps need a hypergradient, and moves its values at the ends of windows', async () => {
    const loop = await open('whole');
    expect(Array.from({ length: WINDOW }, (_, step) => step).filter((step) => loop.wants(step))).toEqual([
      3, 5, 7, 9,
    ]);
    expect([loop.nextStep, loop.steps, loop.values]).toEqual([0, 30, { mix: [0.5, 0.5], rate: 2 }]);
    const seen = await train(loop);
    expect(seen.map((line) => line.split(':')[0])).toEqual(['10', '20', '30']);
    expect(loop.values.rate).toBeLessThan(2);
    expect(loop.nextStep).toBe(30);
    expect(loop.ended?.state).toBe('SUCCEEDED');
    expect(await loop.report(29, [1, 2, 3])).toBeUndefined();
    await expect(loop.report(30, [1, 2, 3])).rejects.toMatchObject({
      fieldViolations: [{ field: 'step', description: '30 is none of the 30 steps, which begin with 0' }],
    });
  });

  it('goes on where it was with the same call, or by its name', async () => {
    const whole = await train(await open('undisturbed'));
    const first = await open('resumed');
    const seen = await train(first, 16);
    const { name } = first.study;
    // Without a word, as a program that is killed.
    const second = await open('resumed');
    expect([second.study.name, second.nextStep]).toEqual([name, 16]);
    await expect(first.report(17, [1, 2, 3])).rejects.toMatchObject({
      code: 'ABORTED',
      reason: 'TAKEN_OVER',
    });
    seen.push(...(await train(second, 20)));
    await second.close();
    const third = await client.external({ name, space: mySpace });
    expect(third.nextStep).toBe(20);
    seen.push(...(await train(third)));
    expect(seen).toEqual(whole);
    const last = await client.external({ name, space: mySpace });
    expect(last.ended?.state).toBe('SUCCEEDED');
    expect([last.values, last.nextStep]).toEqual([third.values, third.nextStep]);
    const session = await last.study.report();
    expect(session).toMatchObject({ values: third.values, position: { outerStep: 4, rows: 0 } });
  });

  it('takes reports that nobody waits for, up to the end of a window', async () => {
    const whole = await train(await open('one by one'));
    const loop = await open('together');
    const seen: string[] = [];
    for (let start = 0; start < loop.steps; start += WINDOW) {
      const reports = Array.from({ length: WINDOW }, (_, i) =>
        loop.report(start + i, slope(loop, start + i)),
      );
      await expect(loop.report(start + WINDOW, [1, 2, 3])).rejects.toMatchObject({
        reason: 'STEP_MISSING',
        message: expect.stringContaining(`wait for the report of step ${start + WINDOW - 1}`),
      });
      const outerStep = (await Promise.all(reports)).at(-1);
      seen.push(`${outerStep?.step}: ${JSON.stringify(outerStep?.nextValues)}`);
    }
    expect(seen).toEqual(whole);
  });

  it('goes back to the start of a window that is taken back', async () => {
    const loop = await open('diverged');
    await train(loop, WINDOW);
    const { rate } = loop.values;
    expect(await loop.report(WINDOW, undefined, { trainLoss: 1 })).toBeUndefined();
    const outerStep = await loop.report(WINDOW + 1, undefined, { trainLoss: Number.NaN });
    expect(outerStep).toMatchObject({ step: WINDOW, update: { rolledBack: true } });
    expect(loop.nextStep).toBe(WINDOW);
    expect(loop.values.rate).not.toBe(rate);
    expect(await train(loop)).toHaveLength(2);
    expect(loop.ended?.state).toBe('SUCCEEDED');
  });

  it('refuses what is out of turn or wrong, and goes on', async () => {
    const loop = await open('refusals');
    await expect(loop.report(5, [1, 2, 3])).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'STEP_MISSING',
      message: expect.stringContaining('step 3 needs a hypergradient'),
    });
    await expect(loop.report(3)).rejects.toMatchObject({ fieldViolations: [{ field: 'hypergradient' }] });
    await expect(loop.report(3, [1])).rejects.toMatchObject({
      reason: 'NOT_ENCODABLE',
      fieldViolations: [
        { field: 'hypergradient', description: 'has 1 value; the space has 3 components that move' },
      ],
    });
    await expect(loop.report(-1)).rejects.toMatchObject({ fieldViolations: [{ field: 'step' }] });
    const [bad, after] = [loop.report(3, [1, 2, Number.MAX_VALUE]), loop.report(5, [1, 2, 3])];
    expect(await bad).toBeUndefined();
    expect(await after).toBeUndefined();
    expect(loop.nextStep).toBe(6);
    await expect(client.external({ ...options('wrong'), sigma: 2, steps: 7 })).rejects.toMatchObject({
      fieldViolations: expect.arrayContaining([
        expect.objectContaining({ field: 'sigma' }),
        expect.objectContaining({ field: 'steps' }),
      ]),
    });
    await expect(client.external({ ...options('long'), window: 20 })).rejects.toMatchObject({
      fieldViolations: expect.arrayContaining([
        { field: 'steps', description: expect.not.stringContaining('method') },
      ]),
    });
    await expect(client.external({ ...options('typo'), sigmma: 2 } as never)).rejects.toThrow(
      'did you mean sigma',
    );
  });
});
