/** The DMD service alone, over connections that break. */

import { type EstimatedWindow, type GlocalError, GlocalEstimator, type WindowReport } from '@glocal/sdk';
import type { ServerChild } from '@glocal/trainer';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDmd } from '../support/dmd.ts';
import { TcpProxy } from './support/proxy.ts';
import { startScriptedServer } from './support/scripted-server.ts';

const ROWS = 20;
const SHAPE = { rows: ROWS, components: 3, dmd: { variant: 'affine' } } as const;

/** Rows that settle at 1, 2, … with a little noise, the same for the same seed. */
const settling = (components: number, seed = 1, rows = ROWS): Float64Array[] =>
  Array.from({ length: rows }, (_, t) =>
    Float64Array.from({ length: components }, (_, k) => {
      const limit = 1 + (k % 7);
      return limit * (1 - 0.7 ** (t + 1)) + 0.01 * Math.sin(997 * seed + 31 * t + 7 * k);
    }),
  );

const essence = ({ computeTime: _computeTime, ...report }: WindowReport) => report;

let service: ServerChild;
let proxy: TcpProxy;
let estimator: GlocalEstimator;
beforeAll(async () => {
  service = await startDmd({ env: { GLOCAL_DMD_LIMITS__MAX_OPEN_WINDOWS: '4' } });
});
afterAll(() => service.stop());
beforeEach(async () => {
  proxy = await TcpProxy.start(Number(service.address.split(':').at(-1)));
  estimator = new GlocalEstimator({ address: proxy.address, retry: { initialBackoff: 10 } });
});
afterEach(async () => {
  estimator.close();
  await proxy.close();
});

const stream = async (
  rows: readonly Float64Array[],
  options: Partial<Parameters<typeof estimator.open>[0]> = {},
) => {
  const window = await estimator.open({ ...SHAPE, components: rows[0]?.length ?? 0, ...options });
  for (const row of rows) await window.push(row);
  return window;
};

describe('an estimator', () => {
  it('says what the service is', async () => {
    expect(await estimator.info()).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+/),
      limits: { maxOpenWindows: 4, maxMessageBytes: 4 * 1024 * 1024, maxHeldBytes: expect.any(Number) },
    });
  });

  it('reports where a window is heading, at once or row by row alike', async () => {
    const rows = settling(3);
    const report = await estimator.analyze(rows, { dmd: SHAPE.dmd });
    expect(report).toMatchObject({ verdict: 'TRUSTED', componentTrusted: [true, true, true] });
    expect([...(report.glocal ?? [])].map(Math.round)).toEqual([1, 2, 3]);
    expect([...report.last]).toEqual([...(rows.at(-1) ?? [])]);
    expect(essence(await (await stream(rows)).report())).toEqual(essence(report));
  });

  it('reports in the middle of a window, on the rows so far', async () => {
    const rows = settling(3);
    const window = await estimator.open(SHAPE);
    for (const row of rows.slice(0, 8)) await window.push(row);
    expect(window.rows).toBe(8);
    const early = await window.estimate();
    expect(essence(early)).toEqual(essence(await estimator.analyze(rows.slice(0, 8), { dmd: SHAPE.dmd })));
    for (const row of rows.slice(8)) await window.push(row);
    expect(essence(await window.estimate())).toEqual(essence(await window.report()));
  });

  it('has more windows under way than a stream may have', async () => {
    const windows = await Promise.all(Array.from({ length: 10 }, () => estimator.open(SHAPE)));
    const rows = windows.map((_, seed) => settling(3, seed));
    for (let t = 0; t < ROWS; t++) {
      await Promise.all(windows.map((window, i) => window.push(rows[i]?.[t] as Float64Array)));
    }
    const reports = await Promise.all(windows.map((window) => window.report()));
    for (const [i, report] of reports.entries()) {
      expect([...report.last]).toEqual([...(rows[i]?.at(-1) ?? [])]);
    }
  });

  it('sends long rows in parts, and takes reports that are larger than a message of gRPC usually is', async () => {
    const rows = settling(200_000, 1, 6);
    const options = { dmd: { variant: 'affine' as const } };
    const report = await estimator.analyze(rows, options);
    expect(report.mean.length).toBe(200_000);
    expect([...report.last.slice(131_070, 131_075)]).toEqual([
      ...(rows.at(-1)?.slice(131_070, 131_075) ?? []),
    ]);
  });

  it('hands norms and sizes of a window on to the one that follows it', async () => {
    const spike = settling(1_200, 2).map((row) => row.map((value) => value * 1e6));
    const first = await stream(settling(1_200));
    await first.report();
    const report = await (await stream(spike, { follows: first })).report();
    expect(report).toMatchObject({
      verdict: 'DIVERGING',
      verdictFigures: { spikeRatio: expect.any(Number) },
    });
    expect((await (await stream(spike)).report()).verdictFigures?.spikeRatio).toBeUndefined();
  });

  it('refuses what the service would, by the names of its options, and goes on', async () => {
    await expect(estimator.open({ ...SHAPE, rows: 3 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      fieldViolations: [{ field: 'rows', description: '3 are too few; with 3 delays at least 4' }],
    });
    await expect(estimator.open({ ...SHAPE, componets: 3 } as never)).rejects.toThrow(
      'did you mean components',
    );
    const violations = (call: Promise<unknown>) =>
      call.catch(({ fieldViolations }: GlocalError) => fieldViolations);
    const { dmd } = SHAPE;
    expect(await violations(estimator.analyze([]))).toEqual([
      { field: 'rows', description: '0 are too few; with 10 delays at least 11' },
    ]);
    const five = settling(2, 1, 5);
    expect(await violations(estimator.analyze([[], [], [], [], []], { dmd }))).toEqual([
      { field: 'rows[0]', description: 'has no components' },
    ]);
    expect(await violations(estimator.analyze([...five, [1]], { dmd }))).toEqual([
      { field: 'rows[5]', description: 'has 1 value; rows[0] has 2' },
    ]);
    expect(await violations(estimator.analyze(five, { dmd, priorNorms: [1, -1] }))).toEqual([
      { field: 'priorNorms[1]', description: '-1 is not a number from 0 on' },
    ]);
    expect(await violations(estimator.analyze(five, { dmd: { ...dmd, clip: 7 } }))).toEqual([
      expect.objectContaining({ field: 'dmd.clip' }),
    ]);
    const narrow = await stream(settling(2));
    expect(await violations(estimator.open({ ...SHAPE, follows: narrow }))).toEqual([
      { field: 'follows', description: 'has 2 components, and this window 3' },
    ]);
    const window = await estimator.open(SHAPE);
    await expect(window.push([1])).rejects.toThrow('row: has 1 value; the window has 3 components');
    for (const wrong of [[1, 2], [1, 2, Number.NaN], Float64Array.of(1, 2, Number.POSITIVE_INFINITY)]) {
      await expect(window.push(wrong)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        reason: 'NOT_ENCODABLE',
      });
    }
    await expect(window.estimate()).rejects.toMatchObject({ reason: 'TOO_FEW_ROWS' });
    await expect(window.report()).rejects.toMatchObject({ reason: 'TOO_FEW_ROWS' });
    for (const row of settling(3)) await window.push(row);
    await expect(window.push([1, 2, 3])).rejects.toMatchObject({ reason: 'WINDOW_COMPLETE' });
    expect((await window.report()).verdict).toBe('TRUSTED');
  });

  it('tells of a window that the service refuses alone, while others go on', async () => {
    const good = await estimator.open(SHAPE);
    await good.push(settling(3)[0] as Float64Array);
    const bad = await estimator.open({ ...SHAPE, dmd: { variant: 'affine', clip: 7 } });
    await expect(bad.report().catch((error) => error)).resolves.toMatchObject({ reason: 'TOO_FEW_ROWS' });
    for (const row of settling(3)) void bad.push(row);
    await expect(bad.report()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      fieldViolations: [{ field: 'dmd.clip' }],
    });
    for (const row of settling(3).slice(1)) await good.push(row);
    expect((await good.report()).verdict).toBe('TRUSTED');
  });

  it('gives up a window that nobody waits for', async () => {
    const window = await estimator.open(SHAPE);
    window.abandon();
    await expect(window.push([1, 2, 3])).rejects.toMatchObject({ code: 'CANCELLED', reason: 'ABANDONED' });
    expect((await (await stream(settling(3))).report()).verdict).toBe('TRUSTED');
  });
});

it('names a DMD service, and not a trainer, where there is none', async () => {
  const away = new GlocalEstimator({ address: '127.0.0.1:1', retry: { maxAttempts: 1 } });
  await expect(away.info()).rejects.toThrow(
    'no answer from the DMD service at 127.0.0.1:1: connect ECONNREFUSED',
  );
  const trainer = await startScriptedServer({});
  const mistaken = new GlocalEstimator({ address: trainer.address });
  await expect(mistaken.info()).rejects.toThrow('does not know GetDmdInfo: it is not a DMD service, or');
  trainer.stop();
  for (const each of [away, mistaken]) each.close();
});

describe('an estimator whose connection is lost', () => {
  it('sends again what was not answered', async () => {
    const rows = settling(3);
    const expected = essence(await estimator.analyze(rows, { dmd: SHAPE.dmd }));
    const windows = await Promise.all([estimator.open(SHAPE), estimator.open(SHAPE)]);
    for (const [t, row] of rows.entries()) {
      await Promise.all(windows.map((window) => window.push(row)));
      if (t % 5 === 2) proxy.cut();
    }
    for (const window of windows) expect(essence(await window.report())).toEqual(expected);
  });

  it('sends a long row again from its first part', async () => {
    const rows = settling(150_000, 1, 4);
    const window = await estimator.open({ ...SHAPE, rows: 4, components: 150_000 });
    for (const row of rows) {
      const pushed = window.push(row);
      proxy.cut();
      await pushed;
    }
    const { last, mean } = await window.report();
    expect([...last.slice(131_070, 131_075)]).toEqual([...(rows.at(-1)?.slice(131_070, 131_075) ?? [])]);
    expect(mean.every((value) => value > 0)).toBe(true);
  });

  it('gives up after reconnectTimeout, and when it is closed', async () => {
    const other = new GlocalEstimator({ address: proxy.address, reconnectTimeout: 300 });
    const [lost, closed] = [await other.open(SHAPE), await estimator.open(SHAPE)];
    const finish = async (window: EstimatedWindow) => {
      for (const row of settling(3)) await window.push(row);
      return window.report();
    };
    const told = expect(finish(closed)).rejects.toMatchObject({ code: 'CANCELLED', reason: 'CLIENT_CLOSED' });
    estimator.close();
    await told;
    await proxy.close();
    await expect(finish(lost)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    other.close();
  });
});
