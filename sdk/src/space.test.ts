import { describe, expect, expectTypeOf, it } from 'vitest';
import type { StudyEvent } from './events.ts';
import {
  bool,
  categorical,
  discrete,
  fixed,
  float,
  int,
  network,
  type ParameterMap,
  scheduled,
  space,
  vector,
} from './space.ts';
import type { Choices, ComponentName, MovingName, NewValues, SentValues, Values } from './space-values.ts';
import type { Study } from './study.ts';
import type { OuterStep, Trial } from './trial.ts';

const tuned = space({
  lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
  momentum: float({ min: 0, max: 1, init: 0.1 }),
  weightDecay: fixed(5e-4),
});
type Tuned = (typeof tuned)['parameters'];

const mixed = space({
  lr: float({ min: 1e-4, max: 1, init: [0.001, 0.01] }),
  momentum: float({ min: 0, max: 1, init: 0.1 }),
  l2: vector({ per: 'layer', min: 0, max: 1, init: 0.1 }),
  decay: vector({ size: 3, min: 0, max: 1, init: [0.1, 0.2] }),
  reweighting: network(),
  weightDecay: fixed(5e-4),
  optimizer: categorical(['sgd', 'adam']),
  batchSize: discrete([64, 128]),
  layers: int({ min: 1, max: 3 }),
  nesterov: bool(),
});
type Mixed = (typeof mixed)['parameters'];

const unit = { min: 0, max: 1 };
const branched = space({
  decay: float({ ...unit, init: 0.1 }),
  optimizer: categorical({
    sgd: {
      lr: float({ ...unit, init: 0.1 }),
      momentum: float({ ...unit, init: [0.1, 0.5] }),
      schedule: categorical({ flat: {}, cosine: { final: float({ ...unit, init: 0.1 }) } }),
    },
    adam: { lr: float({ ...unit, init: 0.01 }), beta1: vector({ ...unit, init: 0.9, per: 'layer' }) },
    plain: { lr: fixed(0.1) },
  }),
  model: categorical({ flat: {}, deep: { depth: discrete([1, 2]) } }),
});
type Branched = (typeof branched)['parameters'];

describe('space', () => {
  it('has children under the name that they exist with', () => {
    const { optimizer } = branched.parameters;
    expect(optimizer.values).toEqual(['sgd', 'adam', 'plain']);
    expect(optimizer.children.plain).toEqual({ lr: { kind: 'fixed', value: 0.1 } });
  });

  it('keeps the parameters and their order', () => {
    expect(Object.entries(tuned.parameters)).toEqual([
      ['lr', { kind: 'float', min: 1e-4, max: 1, init: 0.01, scale: 'log' }],
      ['momentum', { kind: 'float', min: 0, max: 1, init: 0.1 }],
      ['weightDecay', { kind: 'fixed', value: 5e-4 }],
    ]);
  });
});

/** Checked by the compiler (`npm run check`). */
describe('the types of a study', () => {
  it('know the names of its parameters', () => {
    expectTypeOf<Values<Tuned>>().toEqualTypeOf<{
      readonly lr: number;
      readonly momentum: number;
      readonly weightDecay: number;
    }>();
  });

  it('know which of them hypergradients move', () => {
    expectTypeOf<ComponentName<Tuned>>().toEqualTypeOf<'lr' | 'momentum'>();
    expectTypeOf<ComponentName>().toEqualTypeOf<string>();
  });

  it('reach the values of events', () => {
    const lrOf = (event: StudyEvent<Tuned>) => {
      if (event.type !== 'outerStep') return undefined;
      // @ts-expect-error There is no such parameter.
      event.values.lrr;
      // @ts-expect-error A fixed parameter is not a component.
      event.window?.components.includes('weightDecay');
      return event.values.lr;
    };
    expectTypeOf(lrOf).returns.toEqualTypeOf<number | undefined>();
  });

  it('know what each trial has of what makes trials', () => {
    expectTypeOf<Choices<Mixed>>().toEqualTypeOf<{
      readonly lr: number;
      readonly decay: number;
      readonly optimizer: 'sgd' | 'adam';
      readonly batchSize: 64 | 128;
      readonly layers: number;
      readonly nesterov: boolean;
    }>();
    const isAdam = ({ choices }: Trial<Mixed>) => {
      // @ts-expect-error No such name.
      choices.optimizer === 'adamm';
      // @ts-expect-error It has one initial value.
      choices.momentum;
      return choices.optimizer === 'adam';
    };
    expectTypeOf(isAdam).returns.toEqualTypeOf<boolean>();
    expectTypeOf<Choices[string]>().toEqualTypeOf<string | number | boolean | undefined>();
  });

  it('know what has a value while training, and what of it can be set', () => {
    expectTypeOf<Values<Mixed>>().toEqualTypeOf<{
      readonly lr: number;
      readonly momentum: number;
      readonly l2: readonly number[];
      readonly decay: readonly number[];
      readonly reweighting: readonly number[];
      readonly weightDecay: number;
      readonly optimizer: 'sgd' | 'adam';
      readonly batchSize: 64 | 128;
      readonly layers: number;
      readonly nesterov: boolean;
    }>();
    expectTypeOf<SentValues<Mixed>['l2']>().toEqualTypeOf<readonly number[] | undefined>();
    expectTypeOf<SentValues<Mixed>['lr']>().toEqualTypeOf<number>();
    expectTypeOf<keyof NewValues<Mixed>>().toEqualTypeOf<
      'lr' | 'momentum' | 'l2' | 'decay' | 'reweighting'
    >();
    expectTypeOf<NewValues<Mixed>['l2']>().toEqualTypeOf<number | readonly number[] | undefined>();
    expectTypeOf<ComponentName<Mixed>>().toEqualTypeOf<
      'lr' | 'momentum' | `l2/${string}` | `decay/${string}` | `reweighting/${string}`
    >();
  });

  it('have as many values as the points of a schedule, and of a replay one or several', () => {
    const given = space({
      lr: scheduled({
        points: [
          { step: 0, value: [0.1, 0.2] },
          { step: 9, value: [0.3, 0.4] },
        ],
        per: 'layer',
      }),
      momentum: scheduled({ points: [{ step: 0, value: 0.9 }] }),
      weightDecay: scheduled({ cosine: { peak: 1e-3 } }),
      l2: scheduled({ replay: { trial: 'studies/a/trials/0' } }),
    });
    type Given = (typeof given)['parameters'];
    expectTypeOf<Values<Given>>().toEqualTypeOf<{
      readonly lr: readonly number[];
      readonly momentum: number;
      readonly weightDecay: number;
      readonly l2: number | readonly number[];
    }>();
    expectTypeOf<SentValues<Given>['lr']>().toEqualTypeOf<readonly number[] | undefined>();
    expectTypeOf<MovingName<Given>>().toBeNever();
  });

  it('know which names a value is one of', () => {
    const isAdam = ({ values }: OuterStep<Mixed>) => {
      // @ts-expect-error No such name.
      values.optimizer === 'adamm';
      // @ts-expect-error No such size.
      values.batchSize === 32;
      return values.optimizer === 'adam';
    };
    expectTypeOf(isAdam).returns.toEqualTypeOf<boolean>();
  });

  it('know the children of a name once that was asked for', () => {
    const ofOptimizer = ({ values }: OuterStep<Branched>) => {
      expectTypeOf(values.decay).toEqualTypeOf<number>();
      expectTypeOf(values.lr).toEqualTypeOf<number>();
      expectTypeOf(values.momentum).toEqualTypeOf<number | undefined>();
      expectTypeOf(values.optimizer).toEqualTypeOf<'sgd' | 'adam' | 'plain'>();
      if (values.optimizer === 'sgd') {
        expectTypeOf(values.momentum).toEqualTypeOf<number>();
        expectTypeOf(values.beta1).toEqualTypeOf<undefined>();
        if (values.schedule === 'cosine') expectTypeOf(values.final).toEqualTypeOf<number>();
      }
      if (values.model === 'deep') expectTypeOf(values.depth).toEqualTypeOf<1 | 2>();
      // @ts-expect-error No such name.
      values.optimizer === 'sdg';
      // @ts-expect-error No such parameter, in any branch.
      values.momentun;
    };
    expectTypeOf(ofOptimizer).returns.toBeVoid();
    expectTypeOf<MovingName<Branched>>().toEqualTypeOf<'decay' | 'lr' | 'momentum' | 'beta1' | 'final'>();
    expectTypeOf<ComponentName<Branched>>().toEqualTypeOf<
      'decay' | 'lr' | 'momentum' | `beta1/${string}` | 'final'
    >();
    expectTypeOf<NewValues<Branched>['lr']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<NewValues<Branched>['beta1']>().toEqualTypeOf<number | readonly number[] | undefined>();
    const chosen = (choices: Choices<Branched>) =>
      choices.optimizer === 'sgd' ? choices.momentum : choices.model;
    expectTypeOf(chosen).returns.toEqualTypeOf<number | 'flat' | 'deep'>();
  });

  it('know the names of children, but not which are there, where there are more than four parameters with children', () => {
    const rate = float({ ...unit, init: [0.1, 0.2] });
    const branches = {
      small: { rate, lr: fixed(1) },
      large: { rate, sizes: vector({ ...unit, init: 0.1, size: 2 }) },
    };
    const many = space({
      lr2: float({ ...unit, init: 0.1 }),
      a: categorical(branches),
      b: categorical({ on: { ofB: categorical({ x: { deep: int({ min: 1, max: 3 }) }, y: {} }) }, off: {} }),
      c: categorical({ on: { ofC: rate }, off: {} }),
      d: categorical({ on: { ofD: rate }, off: {} }),
    });
    type Many = (typeof many)['parameters'];
    const ofMany = ({ values }: OuterStep<Many>) => {
      expectTypeOf(values.lr2).toEqualTypeOf<number>();
      expectTypeOf(values.a).toEqualTypeOf<'small' | 'large'>();
      expectTypeOf(values.rate).toEqualTypeOf<number | undefined>();
      expectTypeOf(values.sizes).toEqualTypeOf<readonly number[] | undefined>();
      expectTypeOf(values.ofB).toEqualTypeOf<'x' | 'y' | undefined>();
      expectTypeOf(values.deep).toEqualTypeOf<number | undefined>();
      if (values.a === 'small') expectTypeOf(values.lr).toEqualTypeOf<number | undefined>();
      // @ts-expect-error No such name.
      values.b === 'onn';
      // @ts-expect-error No such parameter, in any branch.
      values.rates;
    };
    expectTypeOf(ofMany).returns.toBeVoid();
    expectTypeOf<Choices<Many>>().toHaveProperty('deep').toEqualTypeOf<number | undefined>();
    expectTypeOf<Choices<Many>>().not.toHaveProperty('lr');
    expectTypeOf<MovingName<Many>>().toEqualTypeOf<'lr2' | 'rate' | 'sizes' | 'ofC' | 'ofD'>();
    expectTypeOf<Study<Many>>().toExtend<Study>();
  });

  it('let a typed study be used where any study will do', () => {
    expectTypeOf<Study<Tuned>>().toExtend<Study>();
    expectTypeOf<Study<Mixed>>().toExtend<Study>();
    expectTypeOf<Study<Branched>>().toExtend<Study>();
    expectTypeOf<Study>().toEqualTypeOf<Study<ParameterMap>>();
    // @ts-expect-error Its names are not known.
    expectTypeOf<Study>().toExtend<Study<Tuned>>();
  });

  it('refuse unknown scales and missing bounds', () => {
    // @ts-expect-error
    float({ min: 0, max: 1, init: 0.5, scale: 'cubic' });
    // @ts-expect-error
    float({ min: 0, init: 0.5 });
    // @ts-expect-error It is either.
    vector({ min: 0, max: 1, init: 0.5, per: 'class', size: 3 });
    // @ts-expect-error
    vector({ min: 0, max: 1, init: 0.5 });
  });
});
