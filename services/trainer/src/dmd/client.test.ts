import {
  DmdOptions,
  type DmdServiceServer,
  DmdServiceService,
  WindowReport,
} from '@glocal/proto/glocal/v1/dmd';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../resource/circuit-breaker.ts';
import { DmdClient } from './client.ts';
import type { DmdError } from './errors.ts';

/** Long enough for a second try, which comes after 0.2 to 0.4 s. */
const BUDGET_MS = 1_500;
const shape = { rows: 1, components: 1, options: DmdOptions.create(), priorNorms: [] };

/** Ends each window with the next of these statuses, the last one for good; OK is a report. */
let script: status[];
let calls: number;
let now: number;
/** In a script: windows are taken and never answered. */
const SILENCE = -1 as status;

let server: Server;
let client: DmdClient;

beforeEach(async () => {
  calls = 0;
  now = 0;
  server = new Server();
  const estimateGlocal: DmdServiceServer['estimateGlocal'] = (call) => {
    const code = script[Math.min(calls++, script.length - 1)] as status;
    call.resume().on('end', () => {
      if (code === SILENCE) return;
      if (code !== status.OK) return call.emit('error', { code, details: 'as the script says' });
      call.write({
        windowId: 'window',
        report: WindowReport.fromPartial({ verdictReason: 'because' }),
        rowsSoFar: undefined,
      });
      return call.end();
    });
  };
  server.addService(DmdServiceService, { estimateGlocal });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  client = new DmdClient({ address: `127.0.0.1:${port}` }, BUDGET_MS, new CircuitBreaker(() => now));
});
afterEach(() => {
  client.close();
  server.forceShutdown();
});

/** The kind of error of the next window, or its report's reason. */
async function window(): Promise<string> {
  const open = client.openWindow(shape);
  open.push(Float64Array.of(1));
  try {
    return (await open.report()).verdictReason;
  } catch (error) {
    return (error as DmdError).kind;
  }
}

describe('a window that the DMD service fails on', () => {
  it.each(['INTERNAL', 'UNKNOWN', 'DATA_LOSS'] as const)('is sent again once after %s', async (code) => {
    script = [status[code], status.OK];
    expect(await window()).toBe('because');
    expect(calls).toBe(2);
  });

  it('is given up after the second time, and the next one is sent as ever', async () => {
    script = [status.INTERNAL, status.INTERNAL, status.OK];
    expect(await window()).toBe('failed');
    expect(await window()).toBe('because');
    expect(calls).toBe(3);
  });
});

describe('a DMD service that is away', () => {
  beforeEach(() => {
    script = [status.UNAVAILABLE];
  });

  it('is waited for once, as long as the budget says', async () => {
    const start = performance.now();
    expect(await window()).toBe('away');
    expect(performance.now() - start).toBeGreaterThan(BUDGET_MS / 4);
    expect(calls).toBeGreaterThan(1);
  });

  it('is one, too, that takes windows and never answers', async () => {
    script = [SILENCE];
    const start = performance.now();
    expect(await window()).toBe('away');
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('is then left alone for a while, and tried once', async () => {
    await window();
    calls = 0;
    expect(await window()).toBe('away');
    expect(calls).toBe(0);
    now = 1_000;
    expect(await window()).toBe('away');
    expect(calls).toBe(1);
    expect(await window()).toBe('away');
    expect(calls).toBe(1);
  });

  it('is used again as soon as it answers', async () => {
    await window();
    now = 1_000;
    script = [status.OK];
    expect(await window()).toBe('because');
    expect(await window()).toBe('because');
  });
});

describe('a DMD service that does not know us', () => {
  it('counts as away, for its token may be on its way to be replaced', async () => {
    script = [status.UNAUTHENTICATED, status.OK];
    expect(await window()).toBe('because');
  });
});

describe('a window that the DMD service will never take', () => {
  it.each(['INVALID_ARGUMENT', 'UNIMPLEMENTED'] as const)('is refused: %s', async (code) => {
    script = [status[code]];
    expect(await window()).toBe('refused');
    expect(calls).toBe(1);
  });
});
