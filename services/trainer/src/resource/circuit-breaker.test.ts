import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.ts';

function make() {
  let now = 0;
  const breaker = new CircuitBreaker(() => now);
  return { breaker, pass: (ms: number) => (now += ms) };
}

describe('a circuit breaker', () => {
  it('is closed until a call fails, then open for a pause, then half open', () => {
    const { breaker, pass } = make();
    expect(breaker.state).toBe('closed');
    breaker.failed();
    expect(breaker.state).toBe('open');
    pass(999);
    expect(breaker.state).toBe('open');
    pass(1);
    expect(breaker.state).toBe('halfOpen');
  });

  it('leaves the service alone for longer and longer, at most a minute', () => {
    const { breaker, pass } = make();
    const pauses = Array.from({ length: 8 }, () => {
      breaker.failed();
      let ms = 0;
      while (breaker.state === 'open') {
        pass(500);
        ms += 500;
      }
      return ms / 1_000;
    });
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('is closed by an answer, and begins again with the short pause', () => {
    const { breaker, pass } = make();
    breaker.failed();
    pass(1_000);
    breaker.failed();
    breaker.succeeded();
    expect(breaker.state).toBe('closed');
    breaker.failed();
    pass(1_000);
    expect(breaker.state).toBe('halfOpen');
  });
});
