import { describe, expect, it } from 'vitest';
import { OuterOptimizer } from './outer-optimizer.ts';

const options = { rate: 0.2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const free = (point: Float64Array) => point;
const make = (clip = free) => new OuterOptimizer(Float64Array.of(1), options, { clip });

describe('OuterOptimizer', () => {
  it('makes the last move again at half the rate, from where it started', () => {
    const once = make();
    once.move(Float64Array.of(3));
    expect(once.point[0]).toBeCloseTo(0.8, 6);
    expect(once.retry()).toBe(true);
    expect(once.point[0]).toBeCloseTo(0.9, 6);
    expect(once.rate).toBe(0.1);
  });

  it('goes on after a retry as if only the smaller move had been made', () => {
    const retried = make();
    retried.move(Float64Array.of(3));
    retried.retry();
    retried.move(Float64Array.of(-2));
    const direct = new OuterOptimizer(Float64Array.of(1), { ...options, rate: 0.1 }, { clip: free });
    direct.move(Float64Array.of(3));
    direct.move(Float64Array.of(-2));
    expect(retried.point).toEqual(direct.point);
  });

  it('makes a part of a step in components that have one, also when it is made again', () => {
    const stepShares = Float64Array.of(1, 0.1);
    const optimizer = new OuterOptimizer(Float64Array.of(1, 1), options, { clip: free, stepShares });
    optimizer.move(Float64Array.of(3, 3));
    expect([...optimizer.point].map((phi) => phi.toFixed(6))).toEqual(['0.800000', '0.980000']);
    optimizer.retry();
    expect([...optimizer.point].map((phi) => phi.toFixed(6))).toEqual(['0.900000', '0.990000']);
  });

  it('makes a move with its share of the rate, and makes it again with half of that', () => {
    const scheduled = make();
    scheduled.move(Float64Array.of(3), 0.25);
    expect(scheduled.point[0]).toBeCloseTo(0.95, 6);
    expect(scheduled.rate).toBe(0.2);
    scheduled.retry();
    expect(scheduled.point[0]).toBeCloseTo(0.975, 6);
    expect(scheduled.rate).toBeCloseTo(0.1, 12);
  });

  it('takes a rate that is set as that of an update with a share of it', () => {
    const scheduled = make();
    scheduled.setRate(0.3, 0.5);
    scheduled.move(Float64Array.of(1), 0.5);
    expect(scheduled.point[0]).toBeCloseTo(0.7, 6);
    scheduled.retry(0.1);
    expect(scheduled.point[0]).toBeCloseTo(0.9, 6);
    expect(scheduled.rate).toBeCloseTo(0.2, 12);
  });

  it('moves some components for good, and leaves the others and their moments', () => {
    const atLeast = (point: Float64Array) => point.map((x) => Math.max(x, 0.7));
    const optimizer = new OuterOptimizer(Float64Array.of(1, 1), options, { clip: atLeast });
    optimizer.move(Float64Array.of(3, 3));
    const { point, adam } = optimizer.state;
    optimizer.moveOnly((k) => k === 0, Float64Array.of(3, 3));
    expect(optimizer.point[0]).toBe(0.7);
    expect(optimizer.clipped).toEqual([0]);
    expect(optimizer.point[1]).toBe(point[1]);
    expect(optimizer.state.adam.mean[1]).toBe(adam.mean[1]);
    expect(optimizer.state.adam.square[1]).toBe(adam.square[1]);
    expect(optimizer.canRetry).toBe(false);
  });

  it('retries a move once, and none that was never made or was settled by holding', () => {
    const optimizer = make();
    expect(optimizer.retry()).toBe(false);
    optimizer.move(Float64Array.of(1));
    expect(optimizer.retry()).toBe(true);
    expect(optimizer.retry()).toBe(false);
    optimizer.move(Float64Array.of(1));
    optimizer.hold();
    const { point, rate } = optimizer;
    expect(optimizer.retry()).toBe(false);
    expect(optimizer.point).toBe(point);
    expect(optimizer.rate).toBe(rate);
  });

  it('keeps every point between the bounds, and says which component it clipped', () => {
    const optimizer = make((point) => point.map((x) => Math.max(x, 0.95)));
    optimizer.move(Float64Array.of(1));
    expect(optimizer.point[0]).toBe(0.95);
    expect(optimizer.clipped).toEqual([0]);
    optimizer.move(Float64Array.of(-100));
    expect(optimizer.clipped).toEqual([]);
  });
});
