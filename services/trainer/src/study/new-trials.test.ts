import {
  type Choice,
  FloatParameter,
  type Parameter,
  RunMode,
  SamplingMethod,
  Study,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { asComplete, asExternal } from '../resource/complete-study.ts';
import { newTrials } from './new-trials.ts';
import { studyOfTrial } from './trial-study.ts';

const sampling = { method: SamplingMethod.GRID };
const method = { dmd: {}, outer: { rate: 1 } };
const float = { min: 0, max: 1 };

/** Two optimizers, two initial learning rates, and two batch sizes. */
const parameters: Parameter[] = [
  { name: 'lr', kind: { $case: 'float', value: FloatParameter.create({ ...float, initials: [0.1, 0.2] }) } },
  { name: 'labelSmoothing', kind: { $case: 'discrete', value: { values: [0.25] } } },
  { name: 'optimizer', kind: { $case: 'categorical', value: { values: ['sgd', 'rmsprop'] } } },
  { name: 'batch_size', kind: { $case: 'int', value: { min: 8, max: 16, step: 8 } } },
  { name: 'augmentation.horizontal_flip', kind: { $case: 'bool', value: {} } },
];
const study = asComplete({
  ...Study.fromPartial({
    problem: { dataset: 'dots', model: 'mlp', validationExamples: 3 },
    training: { steps: 10, seeds: [7, 8] },
    ...{ sampling, method },
  }),
  space: { parameters },
});
const valuesOf = (choices: readonly Choice[]) => choices.map(({ value }) => value?.value);

describe('the trials of a study', () => {
  const trials = newTrials('s', study);

  it('are one for each seed at each point, in the order of the points, and of the seeds at each point', () => {
    expect(trials).toHaveLength(2 * 2 * 2 * 2 * 2);
    expect(trials.slice(0, 5).map(({ name, seed, choices }) => [name, seed, ...valuesOf(choices)])).toEqual([
      ['studies/s/trials/0', 7, 0.1, 0.25, 'sgd', 8, false],
      ['studies/s/trials/1', 8, 0.1, 0.25, 'sgd', 8, false],
      ['studies/s/trials/2', 7, 0.1, 0.25, 'sgd', 8, true],
      ['studies/s/trials/3', 8, 0.1, 0.25, 'sgd', 8, true],
      ['studies/s/trials/4', 7, 0.1, 0.25, 'sgd', 16, false],
    ]);
    expect(trials.at(-1)?.choices.map(({ name }) => name)).toEqual([
      ...['lr', 'labelSmoothing', 'optimizer', 'batch_size', 'augmentation.horizontal_flip'],
    ]);
  });

  it('wait, with the values that they start at, those of the optimizer of each among them', () => {
    const [first, last] = [trials[0], trials.at(-1)];
    expect(first).toMatchObject({ state: TrialState.PENDING, stateReason: 'waiting for a worker' });
    const named = (trial: typeof first) =>
      Object.fromEntries(trial?.values.map((one) => [one.name, one.value]) ?? []);
    expect(named(first)).toMatchObject({ lr: 0.1, labelSmoothing: 0.25, momentum: 0 });
    expect(named(last)).toMatchObject({ lr: 0.2, labelSmoothing: 0.25, epsilon: 1e-8 });
  });

  it('of a client that trains have numbers among their values, and whatever else among their choices alone', () => {
    const ofClient: Parameter[] = [
      { name: 'lr', kind: { $case: 'float', value: FloatParameter.create({ ...float, initial: 0.5 }) } },
      { name: 'batch_size', kind: { $case: 'discrete', value: { values: [8] } } },
      { name: 'dataset', kind: { $case: 'categorical', value: { values: ['mars'] } } },
    ];
    const external = asExternal({
      ...Study.fromPartial({
        mode: RunMode.EXTERNAL,
        training: { steps: 10, seeds: [0] },
        ...{ sampling, method },
      }),
      space: { parameters: ofClient },
    });
    const [trial] = newTrials('s', external);
    expect(trial?.values.map(({ name, value }) => [name, value])).toEqual([
      ['lr', 0.5],
      ['batch_size', 8],
    ]);
    expect(valuesOf(trial?.choices ?? [])).toEqual([8, 'mars']);
  });
});

describe('the study of a trial', () => {
  const trials = newTrials('s', study);

  it('has the fields of the problem that the trial has', () => {
    expect(studyOfTrial(study, trials.at(-1) as { choices: Choice[] }).problem).toMatchObject({
      dataset: 'dots',
      optimizer: 'rmsprop',
      batchSize: 16,
      validationExamples: 3,
      augmentation: { cropPadding: 0, horizontalFlip: true },
    });
  });

  it('has a space that can be trained: moving, starting where the trial starts, or fixed', () => {
    const { space } = studyOfTrial(study, trials.at(-1) as { choices: Choice[] });
    expect(space.parameters.slice(0, 2)).toMatchObject([
      { name: 'lr', kind: { $case: 'float', value: { initial: 0.2, initials: [] } } },
      { name: 'labelSmoothing', kind: { $case: 'fixed', value: { value: 0.25 } } },
    ]);
    expect(space.parameters.slice(2).map(({ kind }) => kind?.$case)).not.toContain('categorical');
    expect(space.parameters.map(({ name }) => name)).toContain('epsilon');
  });

  it('is the study itself where there is nothing to choose', () => {
    expect(studyOfTrial(study, { choices: [] })).toBe(study);
  });
});
