import { describe, expect, it } from 'vitest';
import { unknown } from './finding.ts';
import { roomFinding } from './machine.ts';
import { clockFinding, runtimeFinding } from './server.ts';

describe('clocks', () => {
  const at = (seconds: number) => new Date(seconds * 1_000);
  it('may be off by half a minute', () => {
    expect(clockFinding(at(0), at(30)).severity).toBe('good');
    expect(clockFinding(at(0), at(-31))).toMatchObject({
      severity: 'fault',
      detail: "this clock is 31 s behind the server's",
    });
    expect(clockFinding(undefined, at(0)).severity).toBe('unknown');
  });
});

it('a runtime that is not native is slow', () => {
  expect(runtimeFinding('native TensorFlow 2.21 (oneDNN)').severity).toBe('good');
  expect(runtimeFinding('tfjs 4.22.0 wasm')).toMatchObject({ severity: 'warning' });
});

it('a disk that is nearly full is told of', () => {
  expect(roomFinding('disk', 'here', 5e9).severity).toBe('good');
  expect(roomFinding('disk', 'here', 1e8)).toMatchObject({ severity: 'warning', repair: expect.any(String) });
  expect(roomFinding('disk', 'here', 0)).toMatchObject({ severity: 'fault', repair: expect.any(String) });
});

it('is told of in one line, without what gRPC leaves behind it', () => {
  const detail = 'Last error: SSL routines:\nwrong version number:.\n. Resolution note: ';
  expect(unknown('DMD service', detail).detail).toBe('Last error: SSL routines: wrong version number');
});
