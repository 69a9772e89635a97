import { describe, expect, it } from 'vitest';
import { errorOf } from './error.ts';
import { isIdempotent, pauseAfter } from './retry.ts';

const away = errorOf('UNAVAILABLE', '');
const busy = (retryDelay?: number) => errorOf('RESOURCE_EXHAUSTED', '', { retryDelay });

describe('pauseAfter', () => {
  it('grows threefold up to the longest, give or take a fifth', () => {
    const options = { initialBackoff: 100, maxBackoff: 1_000 };
    for (const [attempts, pause] of [
      [1, 100],
      [2, 300],
      [3, 900],
      [4, 1_000],
    ] as const) {
      const given = pauseAfter(away, attempts, 60_000, options);
      expect(given).toBeGreaterThanOrEqual(0.8 * pause);
      expect(given).toBeLessThanOrEqual(1.2 * pause);
    }
  });

  it('is at least what the server asks for, however long', () => {
    for (const error of [busy(60_000), errorOf('UNAVAILABLE', '', { retryDelay: 60_000 })]) {
      const given = pauseAfter(error, 1, 80_000, { maxBackoff: 10 });
      expect(given).toBeGreaterThanOrEqual(60_000);
      expect(given).toBeLessThanOrEqual(72_000);
    }
  });

  it('comes again until the time of the call is over, ever sooner at its end', () => {
    const pauses: number[] = [];
    for (let left = 3_000; ; ) {
      const pause = pauseAfter(away, pauses.length + 1, left, {});
      if (pause === undefined) break;
      expect(pause).toBeLessThanOrEqual(left / 2);
      pauses.push(pause);
      left -= pause;
    }
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(2_800);
    expect(pauseAfter(away, 99, Number.POSITIVE_INFINITY, {})).toBeGreaterThan(0);
  });

  it('is none after the last attempt, without time, and for what another attempt does not mend', () => {
    expect(pauseAfter(away, 5, 60_000, { maxAttempts: 5 })).toBeUndefined();
    expect(pauseAfter(away, 1, 60_000, { maxAttempts: 1 })).toBeUndefined();
    expect(pauseAfter(busy(1_000), 1, 900, {})).toBeUndefined();
    expect(pauseAfter(busy(), 1, 60_000, {})).toBeUndefined();
    expect(pauseAfter(errorOf('DEADLINE_EXCEEDED', ''), 1, 60_000, {})).toBeUndefined();
  });
});

it('the contract says which methods are idempotent', () => {
  expect(isIdempotent('/glocal.v1.StudyService/GetStudy')).toBe(true);
  expect(isIdempotent('/glocal.v1.StudyService/UploadArtifact')).toBe(false);
  expect(isIdempotent('/glocal.v1.StudyService/Unheard')).toBe(false);
});
