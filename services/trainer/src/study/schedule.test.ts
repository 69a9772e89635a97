import {
  OuterStep,
  type ParameterValue,
  Scale,
  SearchSpace,
  Study,
  StudyState,
  Trial,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PageLimits } from '../resource/page-room.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import { exportSchedule, type SchedulePage } from './schedule.ts';

const NAME = 'studies/a/trials/0';

let store: SqliteStore;
beforeEach(() => {
  store = SqliteStore.inMemory();
});
afterEach(() => store.close());

const bounds = { min: 0.001, max: 1, initial: 0.1, scale: Scale.LOG };
const space = SearchSpace.fromPartial({
  parameters: [
    { name: 'lr', kind: { $case: 'float', value: bounds } },
    { name: 'weightDecay', kind: { $case: 'fixed', value: { value: 0.5 } } },
  ],
});
const study = Study.fromPartial({ name: 'studies/a', state: StudyState.ACTIVE, space });

const lr = (value: number): ParameterValue => ({ name: 'lr', value, values: [] });
const weightDecay: ParameterValue = { name: 'weightDecay', value: 0.5, values: [] };

interface Step {
  /** Where the outer step ended. */
  readonly step: number;
  /** The learning rate that followed. */
  readonly next: ParameterValue;
}

/** The schedule of a trial with these outer steps, in pages of this many points. */
async function scheduleOf(
  steps: readonly Step[],
  components: readonly string[] = [],
  limits: PageLimits = { limit: 1_000, maxBytes: 1e6 },
) {
  const trial = Trial.fromPartial({ name: NAME, state: TrialState.PENDING });
  await store.createStudy({
    study,
    trials: [trial],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 1,
  });
  const { claim } = await store.startTrial(NAME);
  let before = steps[0]?.next.values.length
    ? { ...lr(0.1), values: steps[0].next.values.map(() => 0.1) }
    : lr(0.1);
  for (const [i, { step, next }] of steps.entries()) {
    await store.addOuterStep(
      claim,
      OuterStep.fromPartial({
        name: `${NAME}/outerSteps/${i + 1}`,
        index: i + 1,
        step,
        values: [before, weightDecay],
        nextValues: [next, weightDecay],
        window: { components: [...components] },
      }),
    );
    before = next;
  }
  const pages: SchedulePage[] = [];
  for (let after: number | undefined; ; ) {
    const page = await exportSchedule(store, { space }, trial, { after, ...limits });
    pages.push(page);
    after = page.next;
    if (after === undefined) break;
  }
  return { parameters: pages[0]?.parameters, points: pages.flatMap(({ points }) => points), pages };
}

/** Learning rates that hold from a step on, of these steps: what was planned beyond where one ended did not happen. */
function trajectory(steps: readonly Step[]): [step: number, lr: number][] {
  const points: [number, number][] = [[0, 0.1]];
  for (const { step, next } of steps) {
    while ((points.at(-1)?.[0] ?? -1) >= step) points.pop();
    points.push([step, next.value]);
  }
  return points;
}

describe('a schedule', () => {
  it('starts with the values as they were written', async () => {
    expect(await scheduleOf([])).toMatchObject({
      parameters: ['lr', 'weightDecay'],
      points: [{ step: 0, values: [0.1, 0.5] }],
    });
  });

  it('has a point for each outer step, with the values that held from there on', async () => {
    const { points } = await scheduleOf([
      { step: 50, next: lr(0.2) },
      { step: 100, next: lr(0.3) },
    ]);
    expect(points).toEqual([
      { step: 0, values: [0.1, 0.5] },
      { step: 50, values: [0.2, 0.5] },
      { step: 100, values: [0.3, 0.5] },
    ]);
  });

  it('leaves out what was planned and taken back', async () => {
    const { points } = await scheduleOf([
      { step: 50, next: lr(0.2) },
      { step: 100, next: lr(0.9) },
      // The third window diverged: training went back to step 100 and moved by half.
      { step: 100, next: lr(0.3) },
      { step: 150, next: lr(0.4) },
    ]);
    expect(points.map(({ step, values }) => [step, values[0]])).toEqual([
      [0, 0.1],
      [50, 0.2],
      [100, 0.3],
      [150, 0.4],
    ]);
  });

  it.each([
    ['points', { limit: 3, maxBytes: 1e6 }],
    ['bytes', { limit: 1_000, maxBytes: 150 }],
    ['points, of one each', { limit: 1, maxBytes: 1e6 }],
  ])('is the same in pages that end by their %s, also across what was taken back', async (_what, limits) => {
    // Which of the outer steps were rolled back: none, some, the first, several in a row, the last.
    for (const pattern of ['.......', '..x..x.', 'x......', '..xxx..', '......x', 'xx.xx.x']) {
      await store.close();
      store = SqliteStore.inMemory();
      let step = 0;
      const steps = [...pattern].map((rolledBack, i) => {
        step += rolledBack === 'x' ? 0 : 50;
        return { step, next: lr(0.2 + i / 10) };
      });
      const { points, pages } = await scheduleOf(steps, [], limits);
      expect(
        points.map(({ step, values }) => [step, values[0]]),
        pattern,
      ).toEqual(trajectory(steps));
      expect(Math.max(...pages.map((page) => page.points.length))).toBeLessThanOrEqual(3);
      for (const { parameters } of pages) expect(parameters).toEqual(['lr', 'weightDecay']);
    }
  });

  it('reads no more outer steps for a page than it has points', async () => {
    const steps = Array.from({ length: 500 }, (_, i) => ({ step: 50 * (i + 1), next: lr(0.2) }));
    await scheduleOf(steps);
    const read = vi.spyOn(store, 'listOuterSteps');
    await exportSchedule(store, { space }, { name: NAME }, { after: 200, limit: 5, maxBytes: 1e6 });
    const results = await Promise.all(read.mock.results.map(({ value }) => value));
    expect(results.flatMap(({ records }) => records).length).toBeLessThan(150);
  });

  it('has a column for each value of a vector, named as the components of the window are', async () => {
    const vector = { ...lr(0.25), values: [0.2, 0.3] };
    const { parameters, points } = await scheduleOf([{ step: 50, next: vector }], ['lr/conv1', 'lr/dense']);
    expect(parameters).toEqual(['lr/conv1', 'lr/dense', 'weightDecay']);
    expect(points).toEqual([
      { step: 0, values: [0.1, 0.1, 0.5] },
      { step: 50, values: [0.2, 0.3, 0.5] },
    ]);
  });
});
