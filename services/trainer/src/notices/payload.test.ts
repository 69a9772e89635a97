import { describe, expect, it } from 'vitest';
import type { Notice } from './notice.ts';
import { decodeNotices, encodeNotices } from './payload.ts';

const TRIAL = 'studies/a/trials/0';
const EACH: readonly Notice[] = [
  { kind: 'changed', study: 'studies/a' },
  { kind: 'removed', study: 'studies/a' },
  { kind: 'progressed', progress: { trial: TRIAL, stepsDone: 5, steps: 10 } },
  { kind: 'forgotten', trial: TRIAL },
  { kind: 'work', study: 'studies/a' },
  { kind: 'halted', study: 'studies/a' },
  { kind: 'drive', trial: TRIAL },
  { kind: 'seat', trial: TRIAL, number: 7 },
  { kind: 'everything' },
];

describe('payloads', () => {
  it('have every notice as it was', () => {
    const [payload = '', ...more] = encodeNotices('one', EACH);
    expect(more).toEqual([]);
    expect(decodeNotices(payload)).toEqual({ from: 'one', notices: EACH });
  });

  it('are as long as PostgreSQL takes, and as many as it needs', () => {
    const notices = Array.from(
      { length: 500 },
      (_, i): Notice => ({ kind: 'changed', study: `studies/${i}` }),
    );
    const payloads = encodeNotices('one', notices);
    expect(Math.max(...payloads.map((payload) => Buffer.byteLength(payload)))).toBeLessThan(8_000);
    expect(payloads.length).toBeLessThan(4);
    expect(payloads.flatMap((payload) => decodeNotices(payload)?.notices)).toEqual(notices);
  });

  it('of nothing are none', () => {
    expect(encodeNotices('one', [])).toEqual([]);
  });

  it('leave out what only another version knows, or what does not fit the contract', () => {
    const notices = [
      { kind: 'colour', study: 'studies/a' },
      { kind: 'changed' },
      { kind: 'progressed', progress: { trial: TRIAL, stepsDone: 0.5, steps: 3e9 } },
      EACH[0],
    ];
    expect(decodeNotices(JSON.stringify({ from: 'one', notices }))?.notices).toEqual([EACH[0]]);
  });

  it.each(['', 'hello', '[]', '{"from":1,"notices":[]}'])('are not what somebody else tells: %j', (text) => {
    expect(decodeNotices(text)).toBeUndefined();
  });
});
