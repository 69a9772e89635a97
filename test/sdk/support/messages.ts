/** Messages of the contract with the fields that a test cares about. */

import { Verdict } from '@glocal/proto/glocal/v1/dmd';
import {
  FixedParameter,
  Grouping,
  OuterStep,
  type Parameter,
  Scale,
  Study,
  StudyState,
  Trial,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { StudyEvent } from '@glocal/proto/glocal/v1/study_service';

export const STUDY = 'studies/01test';
export const TRIAL = `${STUDY}/trials/0`;

export const study = (state: StudyState = StudyState.ACTIVE): Study => ({
  ...Study.create({ name: STUDY, displayName: 'a test', state, stateReason: 'as the test says' }),
  space: { parameters: [lr, momentum, weightDecay] },
  createTime: new Date('2024-05-01T10:00:00Z'),
  updateTime: new Date('2024-05-01T10:00:01Z'),
});

const lr: Parameter = {
  name: 'lr',
  kind: {
    $case: 'float',
    value: {
      min: 1e-4,
      max: 1,
      initial: 0.01,
      scale: Scale.LOG,
      grouping: Grouping.NONE,
      initials: [],
      size: 0,
    },
  },
};
const momentum: Parameter = {
  name: 'momentum',
  kind: {
    $case: 'float',
    value: {
      min: 0,
      max: 1,
      initial: 0.1,
      scale: Scale.LOGIT,
      grouping: Grouping.NONE,
      initials: [],
      size: 0,
    },
  },
};
const weightDecay: Parameter = {
  name: 'weightDecay',
  kind: { $case: 'fixed', value: FixedParameter.create({ value: 5e-4 }) },
};

export const trial = (number = 0, fields: Partial<Trial> = {}): Trial => ({
  ...Trial.create({ name: `${STUDY}/trials/${number}`, seed: number, state: TrialState.RUNNING }),
  ...fields,
});

export const outerStep = (index: number, fields: Partial<OuterStep> = {}): OuterStep => ({
  ...OuterStep.create({
    name: `${TRIAL}/outerSteps/${index}`,
    index,
    step: index * 50,
    values: values(0.01 * index),
    nextValues: values(0.01 * (index + 1)),
    validation: { loss: 1 / index, accuracy: 0.5, examples: 1_000 },
    report: { verdict: index % 2 === 0 ? Verdict.UNCERTAIN : Verdict.TRUSTED },
  }),
  ...fields,
});

const values = (lr: number) => [
  { name: 'lr', value: lr, values: [] },
  { name: 'momentum', value: 0.1, values: [] },
  { name: 'weightDecay', value: 5e-4, values: [] },
];

export const event = (cursor: number, what: NonNullable<StudyEvent['event']>): StudyEvent => ({
  ...StudyEvent.create({ cursor: String(cursor), time: new Date(cursor * 1_000) }),
  event: what,
});

/** What a study of `steps` outer steps stores: its creation, the steps, its end; cursors 1, 2, … */
export const history = (steps: number): StudyEvent[] => [
  event(1, { $case: 'study', value: study() }),
  ...Array.from({ length: steps }, (_, i) => event(i + 2, { $case: 'outerStep', value: outerStep(i + 1) })),
  event(steps + 2, { $case: 'study', value: study(StudyState.COMPLETED) }),
];
