import { describe, expect, expectTypeOf, it } from 'vitest';
import type { StudyEvent } from './events.ts';
import { type ComponentName, fixed, float, type ParameterMap, space, type Values } from './space.ts';
import type { Study } from './study.ts';

const tuned = space({
  lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
  momentum: float({ min: 0, max: 1, init: 0.1 }),
  weightDecay: fixed(5e-4),
});
type Tuned = (typeof tuned)['parameters'];

describe('space', () => {
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

  it('let a typed study be used where any study will do', () => {
    expectTypeOf<Study<Tuned>>().toExtend<Study>();
    expectTypeOf<Study>().toEqualTypeOf<Study<ParameterMap>>();
    // @ts-expect-error Its names are not known.
    expectTypeOf<Study>().toExtend<Study<Tuned>>();
  });

  it('refuse unknown scales and missing bounds', () => {
    // @ts-expect-error
    float({ min: 0, max: 1, init: 0.5, scale: 'cubic' });
    // @ts-expect-error
    float({ min: 0, init: 0.5 });
  });
});
