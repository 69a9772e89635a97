import { describe, expect, it } from 'vitest';
import { float, space } from '../space.ts';
import { type WindowFields, windowOf } from '../testing/windows.ts';
import type { WindowOptimizer } from './optimizer.ts';
import { sgd } from './optimizers.ts';
import { trustRegion } from './trust-region.ts';

const plane = space({
  x: float({ min: -1e6, max: 1e6, init: 0, scale: 'linear' }),
  y: float({ min: -1e6, max: 1e6, init: 0, scale: 'linear' }),
});
type Plane = typeof plane.parameters;
const at = (x: number, y: number, fields: Partial<WindowFields<Plane>> = {}) =>
  windowOf(plane, { values: { x, y }, ...fields });

/** Its moves along x with gradient −1 and a long rate, by the losses that the windows report. */
function lengths(losses: readonly number[], options: Parameters<typeof trustRegion>[1] = {}): number[] {
  const optimizer = trustRegion(sgd({ rate: 100 }), { radius: 1, maxRadius: 4, ...options });
  let x = 0;
  return losses.map((loss, i) => {
    const next = optimizer.next(at(x, 0, { index: i + 1, loss, hypergradient: [-1, 0] })).x as number;
    const length = next - x;
    x = next;
    return length;
  });
}

describe('a trust region', () => {
  it('is one of an optimizer, and begins within its largest radius', () => {
    expect(() => trustRegion(undefined as never)).toThrow('optimizer: is missing; give an optimizer');
    expect(() => trustRegion({} as never)).toThrow('optimizer: an object is not an optimizer');
    const wide = (options: Parameters<typeof trustRegion>[1]) => () => trustRegion(sgd({ rate: 1 }), options);
    expect(wide({ radius: 5, maxRadius: 4 })).toThrow('radius: 5 is above maxRadius (4)');
    expect(wide({ radius: 3 })).toThrow('radius: 3 is above maxRadius (2)');
    expect(wide({ maxRadius: 0.1 })).not.toThrow();
  });

  it('keeps the direction of a move, and cuts its length', () => {
    const window = at(1, 2, { hypergradient: [-3, 4] });
    expect(trustRegion(sgd({ rate: 1 }), { radius: 1 }).next(window)).toEqual({
      x: expect.closeTo(1.6, 12),
      y: expect.closeTo(1.2, 12),
    });
    expect(trustRegion(sgd({ rate: 0.1 }), { radius: 1 }).next(window)).toEqual(
      sgd({ rate: 0.1 }).next(window),
    );
  });

  it('doubles while the loss falls as predicted, up to the largest radius', () => {
    expect(lengths([9, 8, 6, 2, -2])).toEqual([1, 2, 4, 4, 4]);
  });

  it('stays where the loss falls by half of that, and shrinks to a quarter where it falls by less than a quarter', () => {
    expect(lengths([9, 8.5, 8.4, 8.4])).toEqual([1, 1, 0.25, 0.0625]);
  });

  it('shrinks when the loss rises, or is no number', () => {
    expect(lengths([9, 10])).toEqual([1, 0.25]);
    expect(lengths([9, Number.NaN])).toEqual([1, 0.25]);
  });

  it('does not grow after a move that was shorter than it', () => {
    const optimizer = trustRegion(sgd({ rate: 0.5 }), { radius: 1 });
    expect(optimizer.next(at(0, 0, { loss: 9, hypergradient: [-1, 0] })).x).toBe(0.5);
    expect(optimizer.next(at(0.5, 0, { index: 2, loss: 8, hypergradient: [-9, 0] })).x).toBe(1.5);
  });

  it('looks at the loss that it is told to', () => {
    const loss = ({ validation }: { validation: { loss: number } }) => -validation.loss;
    expect(lengths([9, 10], { loss })).toEqual([1, 2]);
  });

  it('lets a move be taken back as far as it has to, and shrinks', () => {
    const optimizer = trustRegion(sgd({ rate: 2 }), { radius: 1 });
    expect(optimizer.next(at(0, 0, { loss: 9, hypergradient: [-1, 0] })).x).toBe(1);
    expect(optimizer.next(at(1, 0, { index: 2, rolledBack: true })).x).toBe(1);
    expect(optimizer.next(at(1, 0, { index: 3, loss: 9, hypergradient: [-1, 0] })).x).toBe(1.25);
  });

  it('goes on from what was kept of it, with the optimizer inside', () => {
    const make = () => trustRegion(sgd({ rate: 100, momentum: 0.9 }), { radius: 1, maxRadius: 4 });
    const [whole, kept] = [make(), make()];
    const first = at(0, 0, { loss: 9, hypergradient: [-1, 0] });
    const second = at(1, 0, { index: 2, loss: 8, hypergradient: [-1, 1] });
    whole.next(first);
    kept.next(first);
    const restored = make();
    restored.restore(JSON.parse(JSON.stringify(kept)));
    expect(restored.next(first)).toEqual({ x: 1, y: 0 });
    expect(restored.next(second)).toEqual(whole.next(second));
    expect(() => make().restore({})).toThrow(expect.objectContaining({ reason: 'NOT_RESTORABLE' }));
  });

  it('holds one of your own that has nothing but next', () => {
    const mine: WindowOptimizer<Plane> = { next: ({ values }) => ({ x: values.x + 10 }) };
    const optimizer = trustRegion(mine, { radius: 1 });
    expect(optimizer.next(at(1, 5, { hypergradient: [-1, 0] }))).toEqual({ x: 2, y: 5 });
    expect(JSON.parse(JSON.stringify(optimizer))).toMatchObject({ inner: null });
  });
});
