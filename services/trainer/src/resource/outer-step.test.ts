import { OuterStep } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../resource/message-size.ts';
import { forDriver } from './outer-step.ts';

/** With a window of so many bytes, and a decision that set a vector of so many values. */
const outerStep = (windowBytes: number, values: number): OuterStep => {
  const vector = { name: 'classWeights', value: 1, values: Array(values).fill(1) };
  return OuterStep.fromPartial({
    window: { rows: 1, hypergradients: Buffer.alloc(windowBytes) },
    nextValues: [vector],
    update: {
      decision: { outerStep: 1, action: { $case: 'setValues', value: { values: [vector] } } },
    },
  });
};
const told = (step: OuterStep) => ({
  bytes: OuterStep.encode(step).finish().length,
  window: step.window?.hypergradients.length,
  values: step.nextValues[0]?.values.length,
});

describe('an outer step for who drives its trial', () => {
  it('has the rows of its window when they are asked for and fit', () => {
    expect(told(forDriver(outerStep(100, 3), true))).toMatchObject({ window: 100, values: 3 });
    expect(told(forDriver(outerStep(100, 3), false))).toMatchObject({ window: 0, values: 3 });
    expect(told(forDriver(outerStep(MAX_MESSAGE_BYTES, 3), true))).toMatchObject({ window: 0, values: 3 });
  });

  it('has the means of vectors that a message has no room for, of those that were set, too', () => {
    const lean = told(forDriver(outerStep(100, 400_000), true));
    expect(lean).toMatchObject({ window: 0, values: 0 });
    expect(lean.bytes).toBeLessThan(1_000);
  });
});
