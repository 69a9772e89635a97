/** What TypeScript knows of a study from its space, in the types as they are published. `tsc` judges; nothing here runs. */

import {
  bool,
  categorical,
  type DrivenWindow,
  discrete,
  fixed,
  float,
  type GlocalClient,
  type GlocalError,
  int,
  type OuterStepEvent,
  type ParameterSchedule,
  type ReportSession,
  type Row,
  type ScheduledParameter,
  type Study,
  type StudyEvent,
  type StudySpec,
  scheduled,
  space,
  type Trial,
  type Values,
  type Verdict,
  vector,
} from '@glocal/sdk';
import { describe, expectTypeOf, it } from 'vitest';

const mine = space({
  lr: float({ min: 1e-4, max: 1, init: 0.01 }),
  decays: vector({ per: 'layer', min: 0, max: 1, init: 0.1 }),
  momentum: fixed(0.9),
  optimizer: categorical(['sgd', 'adam']),
  batchSize: discrete([64, 128]),
  layers: int({ min: 1, max: 3 }),
  nesterov: bool(),
});
type Mine = typeof mine.parameters;

describe('the types of a study', () => {
  it('are those of the space that it is made with', () => {
    const made = (client: GlocalClient) =>
      client.studies.create({
        space: mine,
        problem: { dataset: 'd', model: 'm' },
        training: { steps: 100 },
        method: { estimator: 'glocal' },
      });
    expectTypeOf(made).returns.resolves.toEqualTypeOf<Study<Mine>>();
    expectTypeOf<Study<Mine>>().toExtend<Study>();
  });

  it('have a number or numbers for each hyperparameter, and what a trial has chosen', () => {
    expectTypeOf<Values<Mine>>().toEqualTypeOf<{
      readonly lr: number;
      readonly decays: readonly number[];
      readonly momentum: number;
      readonly optimizer: 'sgd' | 'adam';
      readonly batchSize: 64 | 128;
      readonly layers: number;
      readonly nesterov: boolean;
    }>();
    expectTypeOf<OuterStepEvent<Mine>['values']['lr']>().toEqualTypeOf<number>();
    expectTypeOf<OuterStepEvent<Mine>['values']>().not.toHaveProperty('lrr');
  });

  it('have the choices of a trial as literals', () => {
    expectTypeOf<Trial<Mine>['choices']>().toEqualTypeOf<{
      readonly optimizer: 'sgd' | 'adam';
      readonly batchSize: 64 | 128;
      readonly layers: number;
      readonly nesterov: boolean;
    }>();
  });

  it('let a client set what moves, and nothing else', () => {
    expectTypeOf<DrivenWindow<Mine>['set']>().parameter(0).toHaveProperty('lr');
    expectTypeOf<DrivenWindow<Mine>['set']>().parameter(0).not.toHaveProperty('momentum');
    type Asked = Parameters<DrivenWindow<Mine>['trusted']>[0];
    expectTypeOf<'lr'>().toExtend<Asked>();
    expectTypeOf<'decays'>().toExtend<Asked>();
    expectTypeOf<'momentum'>().not.toExtend<Asked>();
  });

  it('know the kinds of events by their type', () => {
    expectTypeOf<StudyEvent<Mine>['type']>().toEqualTypeOf<
      'study' | 'trial' | 'outerStep' | 'snapshot' | 'progress'
    >();
    expectTypeOf<Extract<StudyEvent<Mine>, { type: 'outerStep' }>['verdict']>().toEqualTypeOf<
      Verdict | undefined
    >();
  });

  it('take a specification without the fields that have defaults, and refuse one that lacks others', () => {
    expectTypeOf<{
      space: typeof mine;
      problem: { dataset: string; model: string };
      training: { steps: number };
      method: { estimator: 'glocal' };
    }>().toExtend<StudySpec<Mine>>();
    expectTypeOf<{ space: typeof mine }>().not.toExtend<StudySpec<Mine>>();
  });

  it('have one schedule of a hyperparameter', () => {
    const one = (given: ParameterSchedule) => [
      scheduled(given),
      scheduled({ cosine: { peak: 1 } }),
      scheduled({ points: [{ step: 0, value: 1 }] }),
      // @ts-expect-error Two of them.
      scheduled({ cosine: { peak: 1 }, points: [] }),
      // @ts-expect-error Two of them.
      scheduled({ cosine: { peak: 1 }, cooldown: { value: 1 } }),
    ];
    expectTypeOf(one).returns.items.toEqualTypeOf<ScheduledParameter>();
  });

  it('are plain where numbers are: rows that are reported, and the code of an error', () => {
    expectTypeOf<ReportSession<Mine>['rows']>().parameter(0).toEqualTypeOf<readonly Row[]>();
    expectTypeOf<Float64Array>().toExtend<Row>();
    expectTypeOf<GlocalError['code']>().toExtend<string>();
    expectTypeOf<'INVALID_ARGUMENT'>().toExtend<GlocalError['code']>();
  });
});
