import { type DmdLimits, type DmdServiceServer, DmdServiceService } from '@glocal/proto/glocal/v1/dmd';
import { Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_DMD_LIMITS, DmdWatch } from './info.ts';

let server: Server | undefined;
let watch: DmdWatch | undefined;
afterEach(() => {
  watch?.close();
  server?.forceShutdown();
});

const limited = (maxRows: number): DmdLimits => ({ ...DEFAULT_DMD_LIMITS, maxRows });

/** A service that tells these limits, or none; its port. */
async function serve(limits: DmdLimits | status, port = 0): Promise<number> {
  const getDmdInfo: DmdServiceServer['getDmdInfo'] = (_call, callback) =>
    typeof limits === 'number'
      ? callback({ code: limits, details: 'as the script says' } as ServiceError)
      : callback(null, { version: '1', limits });
  const started = new Server();
  started.addService(DmdServiceService, { getDmdInfo });
  server = started;
  return new Promise((resolve, reject) => {
    started.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
}

/** What the log of a watch says, by level. */
async function watching(port: number): Promise<{ level: number; msg: string }[]> {
  const lines: { level: number; msg: string }[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) });
  watch = await DmdWatch.start({ address: `127.0.0.1:${port}` }, log);
  return lines;
}

describe('the limits of a DMD service', () => {
  it('are asked for at the start', async () => {
    await watching(await serve(limited(7)));
    expect(watch?.limits.maxRows).toBe(7);
  });

  it('are asked for again when it comes back', async () => {
    const port = await serve(limited(7));
    await watching(port);
    server?.forceShutdown();
    await serve(limited(9), port);
    await expect.poll(() => watch?.limits.maxRows, { timeout: 20_000 }).toBe(9);
  });

  it('are asked for as soon as it is there', async () => {
    const port = await serve(limited(7));
    server?.forceShutdown();
    const lines = await watching(port);
    expect(watch?.limits).toEqual(DEFAULT_DMD_LIMITS);
    expect(lines.at(-1)).toMatchObject({ level: 40 });
    await serve(limited(9), port);
    await expect.poll(() => watch?.limits.maxRows, { timeout: 20_000 }).toBe(9);
  });

  it('are the defaults when it is older than the question', async () => {
    const lines = await watching(await serve(status.UNIMPLEMENTED));
    expect(watch?.limits).toEqual(DEFAULT_DMD_LIMITS);
    expect(lines.at(-1)?.msg).toContain('older than GetDmdInfo');
  });
});

describe('whether a DMD service can be reached', () => {
  it('is known with its version, and why not when it has gone', async () => {
    const port = await serve(limited(7));
    const lines = await watching(port);
    expect(watch?.status).toEqual({ reachable: true, version: '1', reason: '' });
    server?.forceShutdown();
    await expect
      .poll(() => watch?.status, { timeout: 20_000 })
      .toEqual({
        reachable: false,
        version: '1',
        reason: expect.stringMatching(/^UNAVAILABLE: /),
      });
    await serve(limited(7), port);
    await expect.poll(() => watch?.status.reachable, { timeout: 20_000 }).toBe(true);
    expect(lines.filter(({ level }) => level >= 40)).toHaveLength(1);
  });

  it('is told to those who listen, once for each change', async () => {
    const port = await serve(limited(7));
    await watching(port);
    const told: boolean[] = [];
    const stop = watch?.onChange(() => told.push(watch?.status.reachable ?? false));
    server?.forceShutdown();
    await expect.poll(() => told, { timeout: 20_000 }).toEqual([false]);
    await serve(limited(7), port);
    await expect.poll(() => told, { timeout: 20_000 }).toEqual([false, true]);
    stop?.();
    server?.forceShutdown();
    await expect.poll(() => watch?.status.reachable, { timeout: 20_000 }).toBe(false);
    expect(told).toEqual([false, true]);
  });
});

it('a DMD service that does not accept us is an error in the log that says what to look at', async () => {
  const lines = await watching(await serve(status.UNAUTHENTICATED));
  expect(lines.at(-1)).toMatchObject({ level: 50, msg: expect.stringContaining('--dmd-token-file') });
});
