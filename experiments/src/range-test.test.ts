import { describe, expect, it } from 'vitest';
import { pickRate } from './range-test.ts';

const RATES = Array.from({ length: 60 }, (_, i) => 10 ** (-5 + i / 10));
const points = (lossAt: (rate: number) => number) => RATES.map((rate) => ({ rate, loss: lossAt(rate) }));

describe('a range test', () => {
  it('picks a rate about where the loss falls most steeply, and not where it diverges', () => {
    // A loss of 2.3 that falls around .03, and is lost above 1.
    const rate = pickRate(points((x) => (x > 1 ? 1e6 : 0.3 + 2 / (1 + (x / 0.03) ** 2))));
    expect(rate).toBeGreaterThan(0.01);
    expect(rate).toBeLessThan(0.2);
  });

  it('ends where the loss is no number any more', () => {
    const rate = pickRate(points((x) => (x > 0.1 ? Number.NaN : 2 - Math.min(1, x / 0.01))));
    expect(rate).toBeLessThanOrEqual(0.1);
  });

  it('picks none where no rate moves the loss', () => {
    expect(pickRate(points(() => 2.3))).toBeUndefined();
  });
});
