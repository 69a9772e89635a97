import { describe, expect, it } from 'vitest';
import { usageIsKnown, usageOf } from './usage.ts';

describe.skipIf(!usageIsKnown())('what a process takes', () => {
  it('is its memory and its processor time, which rises while it computes', () => {
    const before = usageOf(process.pid);
    expect(before?.memoryBytes).toBeGreaterThan(10 * 1024 ** 2);
    expect(before?.memoryBytes).toBeLessThan(process.memoryUsage.rss() * 2);
    const until = process.cpuUsage().user + 100_000;
    while (process.cpuUsage().user < until);
    expect(usageOf(process.pid)?.processorTicks).toBeGreaterThan(before?.processorTicks ?? 0);
  });

  it('is not known of one that is gone', () => {
    expect(usageOf(2 ** 30)).toBeUndefined();
  });
});
