/** The trainer's client of the DMD service, over connections that break and to a service that stays away. */

import { DmdOptions, type WindowReport } from '@glocal/proto/glocal/v1/dmd';
import type { ServerChild } from '@glocal/trainer';
import { DmdClient, DmdError, decodeRow, type OpenWindow } from '@glocal/trainer/dmd';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TcpProxy } from '../sdk/support/proxy.ts';
import { startDmd } from '../support/dmd.ts';
import { deadAddress } from '../support/ports.ts';
import { rejection } from '../support/rejection.ts';

const BUDGET_MS = 20_000;

let service: ServerChild;
let proxy: TcpProxy;
let client: DmdClient;

beforeAll(async () => {
  service = await startDmd();
});
afterAll(() => service.stop());
beforeEach(async () => {
  proxy = await TcpProxy.start(Number(service.address.split(':')[1]));
  client = new DmdClient({ address: proxy.address }, BUDGET_MS);
});
afterEach(async () => {
  client.close();
  await proxy.close();
});

const rows = Array.from({ length: 8 }, (_, t) => Float64Array.of(1 + 0.5 ** t, -2 + 0.8 ** t));
const shape = { rows: 8, components: 2, options: DmdOptions.create({ delays: 3 }), priorNorms: [1, 2, 3] };

/** All that does not depend on how long it took. */
const withoutTime = ({ computeTime: _computeTime, ...report }: WindowReport) => report;

function pushAll(window: OpenWindow, from = 0, to = rows.length): void {
  for (const row of rows.slice(from, to)) window.push(row);
}

async function undisturbed(): Promise<WindowReport> {
  const window = client.openWindow(shape);
  pushAll(window);
  return window.report();
}

/** Gives what was sent the time to arrive. */
const arrived = () => new Promise((resolve) => setTimeout(resolve, 100));

describe('a window', () => {
  it('is answered when all its rows have been pushed', async () => {
    const report = await undisturbed();
    expect(decodeRow(report.last)).toEqual(rows.at(-1));
    expect(report.componentTrusted).toHaveLength(2);
  });

  it('is sent again as a whole when the connection breaks in the middle, with the same answer', async () => {
    const expected = await undisturbed();
    const window = client.openWindow(shape);
    pushAll(window, 0, 5);
    await arrived();
    proxy.cut();
    pushAll(window, 5);
    expect(withoutTime(await window.report())).toEqual(withoutTime(expected));
  });

  it('is sent again when the connection breaks before the answer', async () => {
    const expected = await undisturbed();
    const window = client.openWindow(shape);
    pushAll(window);
    const answer = window.report();
    proxy.cut();
    expect(withoutTime(await answer)).toEqual(withoutTime(expected));
  });

  it('is answered after the service was away for a while', async () => {
    const expected = await undisturbed();
    await proxy.close();
    const window = client.openWindow(shape);
    pushAll(window);
    const answer = window.report();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await proxy.open();
    expect(withoutTime(await answer)).toEqual(withoutTime(expected));
  });

  it('can be given up, and the next one opened', async () => {
    const window = client.openWindow(shape);
    pushAll(window, 0, 3);
    window.abandon();
    expect((await undisturbed()).componentTrusted).toHaveLength(2);
  });

  it('is an error that trying again does not mend when the service refuses it', async () => {
    const window = client.openWindow(shape);
    window.push(Float64Array.of(Number.NaN, 1));
    pushAll(window, 1);
    const error = await rejection<DmdError>(window.report());
    expect(error).toBeInstanceOf(DmdError);
    expect(error).toMatchObject({
      unavailable: false,
      message: expect.stringMatching(/^DMD service: .*INVALID_ARGUMENT/),
    });
  });

  it('is an error that trying again does not mend when it passes a limit of the service', async () => {
    const window = client.openWindow({ ...shape, rows: 100_000 });
    const error = await rejection<DmdError>(window.report());
    expect(error).toMatchObject({
      name: 'DmdError',
      unavailable: false,
      message: expect.stringMatching(/RESOURCE_EXHAUSTED.*100000/),
    });
  });

  it('is an error that says the service is away once the budget is used up', async () => {
    const away = new DmdClient({ address: await deadAddress() }, 300);
    const window = away.openWindow(shape);
    pushAll(window);
    const start = performance.now();
    const error = await rejection<DmdError>(window.report());
    const passed = performance.now() - start;
    away.close();
    expect(error).toMatchObject({ name: 'DmdError', unavailable: true });
    expect(passed).toBeLessThan(BUDGET_MS);
  });
});
