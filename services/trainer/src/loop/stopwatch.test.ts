import type { Timing } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { Stopwatch } from './stopwatch.ts';

const milliseconds = (part: Timing['training']): number =>
  part === undefined ? Number.NaN : Number(part.seconds) * 1e3 + part.nanos / 1e6;

/** Keeps the thread busy. */
function spend(ms: number): number {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
}

describe('Stopwatch', () => {
  it('books the time of each part, and all else as other; together they are the time that passed', async () => {
    const start = performance.now();
    const watch = new Stopwatch();
    expect(watch.run('training', () => spend(20))).toBe(20);
    watch.run('training', () => spend(20));
    watch.run('hypergradients', () => spend(5));
    await watch.runAsync('dmd', () => new Promise((resolve) => setTimeout(resolve, 10)));
    spend(5);
    const { training, hypergradients, dmd, other } = watch.read();
    const passed = performance.now() - start;

    expect(milliseconds(training)).toBeGreaterThanOrEqual(40);
    expect(milliseconds(hypergradients)).toBeGreaterThanOrEqual(5);
    expect(milliseconds(dmd)).toBeGreaterThan(8);
    expect(milliseconds(other)).toBeGreaterThanOrEqual(5);
    const sum = [training, hypergradients, dmd, other].map(milliseconds).reduce((a, b) => a + b);
    expect(sum).toBeLessThanOrEqual(passed + 0.01);
  });

  it('counts plain steps and keeps their time apart: of the training, or of the rest when they were only timed', () => {
    const watch = new Stopwatch();
    watch.run('training', () => spend(4));
    watch.run('plain', () => spend(2));
    watch.run('plain', () => spend(2));
    watch.run('timed', () => spend(3));
    const { training, plain, plainSteps, other } = watch.read();
    expect(plainSteps).toBe(3);
    expect(milliseconds(training)).toBeGreaterThanOrEqual(8);
    expect(milliseconds(plain)).toBeGreaterThanOrEqual(7);
    expect(milliseconds(other)).toBeGreaterThanOrEqual(3);
  });

  it('books the time of what fails, too', async () => {
    const watch = new Stopwatch();
    const fail = () => {
      spend(5);
      throw new Error('no');
    };
    expect(() => watch.run('training', fail)).toThrow('no');
    await expect(watch.runAsync('dmd', async () => fail())).rejects.toThrow('no');
    const { training, dmd } = watch.read();
    expect(milliseconds(training)).toBeGreaterThanOrEqual(5);
    expect(milliseconds(dmd)).toBeGreaterThanOrEqual(5);
  });

  it('reads seconds and nanoseconds', () => {
    const watch = new Stopwatch();
    watch.run('training', () => spend(1_050));
    const { training } = watch.read();
    expect(training?.seconds).toBe(1n);
    expect(training?.nanos).toBeGreaterThanOrEqual(50_000_000);
  });
});
