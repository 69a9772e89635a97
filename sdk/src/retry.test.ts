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
      const given = pauseAfter(away, attempts, options);
      expect(given).toBeGreaterThanOrEqual(0.8 * pause);
      expect(given).toBeLessThanOrEqual(1.2 * pause);
    }
  });

  it('is at least what the server asks for, however long', () => {
    for (const error of [busy(60_000), errorOf('UNAVAILABLE', '', { retryDelay: 60_000 })]) {
      const given = pauseAfter(error, 1, { maxBackoff: 10 });
      expect(given).toBeGreaterThanOrEqual(60_000);
      expect(given).toBeLessThanOrEqual(72_000);
    }
  });

  it('is none after the last attempt, and for what another attempt does not mend', () => {
    expect(pauseAfter(away, 5, {})).toBeUndefined();
    expect(pauseAfter(away, 1, { maxAttempts: 1 })).toBeUndefined();
    expect(pauseAfter(busy(), 1, {})).toBeUndefined();
    expect(pauseAfter(errorOf('DEADLINE_EXCEEDED', ''), 1, {})).toBeUndefined();
  });
});

it('the contract says which methods are idempotent', () => {
  expect(isIdempotent('/glocal.v1.StudyService/GetStudy')).toBe(true);
  expect(isIdempotent('/glocal.v1.StudyService/UploadArtifact')).toBe(false);
  expect(isIdempotent('/glocal.v1.StudyService/Unheard')).toBe(false);
});
