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
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteStore } from '../store/sqlite.ts';
import { exportSchedule } from './schedule.ts';

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

/** The schedule of a trial with these outer steps: where each ended, and the learning rate that followed. */
async function scheduleOf(
  steps: readonly { readonly step: number; readonly next: ParameterValue }[],
  components: readonly string[] = [],
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
  const { parameters, points } = await exportSchedule(
    store,
    { space },
    { ...trial, outerStepsDone: steps.length },
  );
  return { parameters, points };
}

describe('a schedule', () => {
  it('starts with the values as they were written', async () => {
    expect(await scheduleOf([])).toEqual({
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
