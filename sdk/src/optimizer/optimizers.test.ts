import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float, space, vector } from '../space.ts';
import { type WindowFields, windowOf } from '../testing/windows.ts';
import type { SavableOptimizer } from './optimizer.ts';
import { adam, rmsProp, sgd } from './optimizers.ts';

const line = space({ x: float({ min: -1e6, max: 1e6, init: 0, scale: 'linear' }) });
const at = (x: number, fields: Partial<WindowFields<typeof line.parameters>> = {}) =>
  windowOf(line, { values: { x }, ...fields });

/** Where an optimizer goes from 0 with these gradients, one window after the other. */
function path(optimizer: SavableOptimizer, gradients: readonly number[]): number[] {
  let x = 0;
  return gradients.map((gradient, i) => {
    x = optimizer.next(at(x, { index: i + 1, hypergradient: [gradient] })).x as number;
    return x;
  });
}

const closeTo = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12));

describe('an optimizer', () => {
  it('adam makes its first step as long as its rate, and then goes by its moments', () => {
    const [first, second] = path(adam({ rate: 0.5 }), [4, 2]);
    expect(first).toBeCloseTo(-0.5, 8);
    const mean = (0.9 * (0.1 * 4) + 0.1 * 2) / (1 - 0.9 ** 2);
    const square = (0.999 * (0.001 * 16) + 0.001 * 4) / (1 - 0.999 ** 2);
    expect(second).toBeCloseTo(-0.5 - (0.5 * mean) / Math.sqrt(square), 8);
  });

  it('sgd goes down the gradient, with its momentum', () => {
    expect(path(sgd({ rate: 0.1 }), [1, 2])).toEqual(closeTo([-0.1, -0.3]));
    expect(path(sgd({ rate: 0.1, momentum: 0.5 }), [1, 2])).toEqual(closeTo([-0.1, -0.1 - 0.25]));
    expect(path(sgd({ rate: 0.1, momentum: 0.5, nesterov: true }), [1, 2])).toEqual(
      closeTo([-0.15, -0.15 - 0.1 * (2 + 0.5 * 2.5)]),
    );
  });

  it('rmsProp goes by the root of the mean of squares', () => {
    const options = { rate: 0.1, decay: 0.5, epsilon: 1e-12 };
    const first = -0.1 * (4 / Math.sqrt(8));
    const second = 0.1 * (2 / Math.sqrt(6));
    expect(path(rmsProp(options), [4, 2])).toEqual(closeTo([first, first - second]));
    const velocity = 0.5 * (4 / Math.sqrt(8)) + 2 / Math.sqrt(6);
    expect(path(rmsProp({ ...options, momentum: 0.5 }), [4, 2])[1]).toBeCloseTo(first - 0.1 * velocity, 12);
  });

  it('clips each component, and then all of them together', () => {
    const plane = space({ x: vector({ size: 2, min: -9, max: 9, init: 0, scale: 'linear' }) });
    const next = (options: object) =>
      sgd({ rate: 1, ...options }).next(windowOf(plane, { values: { x: [0, 0] }, hypergradient: [3, -4] })).x;
    expect(next({})).toEqual([-3, 4]);
    expect(next({ clipValue: 3.5 })).toEqual([-3, 3.5]);
    expect(next({ clipNorm: 10 })).toEqual([-3, 4]);
    expect(next({ clipNorm: 1 })).toEqual([expect.closeTo(-0.6, 12), expect.closeTo(0.8, 12)]);
  });

  it('takes the hypergradient that it is asked for, and holds without one', () => {
    const report = { glocal: Float64Array.of(1), mean: Float64Array.of(2), last: Float64Array.of(3) };
    const next = (hypergradient: 'glocal' | 'mean' | 'median' | 'local' | 'proposed') =>
      sgd({ rate: 1, hypergradient }).next(at(10, { report, hypergradient: [5] })).x;
    expect(['glocal', 'mean', 'local', 'proposed'].map((choice) => next(choice as 'mean'))).toEqual([
      9, 8, 7, 5,
    ]);
    expect(next('median')).toBe(10);
    expect(sgd({ rate: 1 }).next(at(10)).x).toBe(10);
    expect(sgd({ rate: 1 }).next(at(10, { hypergradient: [Number.NaN] })).x).toBe(10);
  });

  it('asks for its rate at each window', () => {
    const optimizer = sgd({ rate: ({ stepsDone }) => stepsDone / 10 });
    expect(path(optimizer, [1, 1])).toEqual([-1, -3]);
    expect(() => sgd({ rate: () => Number.NaN }).next(at(0, { hypergradient: [1] }))).toThrow(
      /rate.*above 0/,
    );
  });

  it('says the same again about the same window', () => {
    const optimizer = adam({ rate: 0.1 });
    path(optimizer, [1, 2]);
    const window = at(-0.2, { index: 3, hypergradient: [0.5] });
    expect(optimizer.next(window)).toEqual(optimizer.next(window));
  });

  it.each([
    () => adam({ rate: 0.1 }),
    () => sgd({ rate: 0.1, momentum: 0.9 }),
    () => rmsProp({ rate: 0.1, momentum: 0.5 }),
  ])('goes on from what was kept of it as it would have, whenever it is interrupted', (make) => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 2, maxLength: 6 }),
        fc.nat(5),
        fc.boolean(),
        (gradients, interrupted, isDecided) => {
          const whole = path(make(), gradients);
          let optimizer = make();
          let x = 0;
          for (const [i, gradient] of gradients.entries()) {
            const window = at(x, { index: i + 1, hypergradient: [gradient] });
            let next = optimizer.next(window).x;
            if (i === interrupted) {
              const kept = JSON.stringify(optimizer);
              optimizer = make();
              optimizer.restore(JSON.parse(kept));
              // Its decision was stored, or the window comes again.
              if (!isDecided) next = optimizer.next(window).x;
            }
            x = next as number;
            expect(x).toBe(whole[i]);
          }
        },
      ),
    );
  });

  it('does not take the state of another one', () => {
    const kept = JSON.parse(JSON.stringify(adam({ rate: 1 })));
    for (const wrong of [kept, undefined, null, {}, 'sgd']) {
      expect(() => sgd({ rate: 1 }).restore(wrong)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', reason: 'NOT_RESTORABLE' }),
      );
    }
  });

  it('makes its last move again at half the rate when the window is taken back, once', () => {
    const optimizer = sgd({ rate: 1 });
    expect(optimizer.next(at(0, { hypergradient: [8] })).x).toBe(-8);
    expect(optimizer.next(at(-8, { index: 2, rolledBack: true })).x).toBe(-4);
    // The rate stays halved.
    expect(optimizer.next(at(-4, { index: 3, hypergradient: [2] })).x).toBe(-5);
    expect(optimizer.next(at(-5, { index: 4, givesUp: true })).x).toBe(-4.5);
    expect(() => optimizer.next(at(-4.5, { index: 5, givesUp: true }))).toThrow(
      expect.objectContaining({ code: 'FAILED_PRECONDITION', reason: 'GIVES_UP' }),
    );
  });

  it('takes what is proposed where there is nothing of its own to take back', () => {
    const window = at(5, { rolledBack: true, nextValues: { x: 0.5 } });
    expect(adam({ rate: 1 }).next(window).x).toBe(0.5);
  });

  it('stays within the bounds, whatever the hypergradients are', () => {
    const bounded = space({
      lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
      momentum: float({ min: 0, max: 1, init: 0.5 }),
      l2: vector({ size: 2, min: -1, max: 3, init: 0, scale: 'linear' }),
    });
    const step = fc.tuple(
      ...Array.from({ length: 4 }, () => fc.double({ min: -1e100, max: 1e100, noNaN: true })),
    );
    const inside = (value: number, min: number, max: number) => value >= min && value <= max;
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 8 }),
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        (steps, rate) => {
          for (const optimizer of [adam({ rate }), sgd({ rate }), rmsProp({ rate })]) {
            let values = { lr: 0.01, momentum: 0.5, l2: [0, 0] as readonly number[] };
            for (const [i, hypergradient] of steps.entries()) {
              const next = optimizer.next(windowOf(bounded, { index: i + 1, values, hypergradient }));
              values = { ...values, ...(next as typeof values) };
              const { lr, momentum, l2 } = values;
              expect(
                inside(lr, 1e-4, 1) && momentum > 0 && momentum < 1 && l2.every((v) => inside(v, -1, 3)),
              ).toBe(true);
            }
          }
        },
      ),
    );
  });

  it('has no point for values that the window could not be set to', () => {
    const bounded = space({
      lr: float({ min: 0, max: 1, init: 0.5 }),
      l2: vector({ size: 2, min: -1, max: 3, init: 0, scale: 'linear' }),
    });
    // A server that rounds onto a bound is understood; a caller who asks for it is told.
    const window = windowOf(bounded, { values: { lr: 1, l2: [3, -1] } });
    expect([...window.pointOf()].every(Number.isFinite)).toBe(true);
    expect(window.valuesAt(window.pointOf())).toEqual({ lr: 1, l2: [3, -1] });
    expect(() => window.pointOf({ lr: 1, l2: [0, 4] })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        fieldViolations: [
          { field: 'lr', description: '1 is not strictly between 0 and 1' },
          { field: 'l2[1]', description: '4 is not between -1 and 3' },
        ],
      }),
    );
  });

  it('says of a window without its vectors what can be done with it', () => {
    const wide = space({ x: vector({ size: 3, min: 0, max: 1, init: 0.5 }) });
    const window = windowOf(wide, { values: { x: undefined }, hypergradient: [] });
    expect(() => adam({ rate: 1 }).next(window)).toThrow(
      expect.objectContaining({
        reason: 'VECTORS_LEFT_OUT',
        message: expect.stringContaining('values of x'),
      }),
    );
  });

  it('refuses options that mean nothing, by their names', () => {
    expect(() => adam({ rate: 0, beta1: 1 })).toThrow(
      expect.objectContaining({
        fieldViolations: [
          expect.objectContaining({ field: 'rate' }),
          expect.objectContaining({ field: 'beta1' }),
        ],
      }),
    );
    expect(() => sgd({ rate: 1, momentun: 0.9 } as never)).toThrow(/did you mean momentum/);
  });
});
