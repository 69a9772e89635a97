import { Estimator } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { OuterLoop } from './outer-loop.ts';
import { scriptedParts, WINDOW } from './testing.ts';

/** The outer steps of a trial, and after how many steps each of its plain steps came. */
async function train(estimator: Estimator, windows: number, method = {}) {
  const { parts, observed } = scriptedParts(estimator, windows, {}, method);
  const loop = new OuterLoop(parts);
  const outerSteps = [];
  while (!loop.done) outerSteps.push(await loop.step());
  return { outerSteps, ...observed };
}

const plainSteps = ({ outerSteps }: Awaited<ReturnType<typeof train>>): number[] =>
  outerSteps.map(({ timing }) => timing?.plainSteps ?? Number.NaN);

describe('a trial whose windows come in a row', () => {
  it('makes a hundredth of its steps to time them, after its first window, and takes them back', async () => {
    const trained = await train(Estimator.LOCAL, 75);
    expect(trained.plainAt).toEqual([4, 5, 6]);
    expect(trained.restored).toEqual([4]);
    expect(trained.outerSteps.at(-1)?.step).toBe(75 * WINDOW);
    expect(plainSteps(trained)).toEqual([0, 3, ...Array(73).fill(0)]);
  });

  it('makes ten at most, and none where that is more than a hundredth', async () => {
    expect((await train(Estimator.LOCAL, 500)).plainAt).toHaveLength(10);
    expect((await train(Estimator.LOCAL, 24)).plainAt).toEqual([]);
  });
});

describe('a trial that has plain steps of its own', () => {
  it('times those between its windows', async () => {
    const trained = await train(Estimator.LOCAL, 100, { interval: 5 * WINDOW, warmupWindows: 1 });
    expect(trained.restored).toEqual([]);
    expect(plainSteps(trained).slice(0, 3)).toEqual([0, 4 * WINDOW, 4 * WINDOW]);
  });

  it('times all of them with FIXED', async () => {
    const trained = await train(Estimator.FIXED, 100);
    expect(trained.plainAt).toEqual([]);
    expect(plainSteps(trained)).toEqual(Array(100).fill(WINDOW));
  });
});
