import { once } from 'node:events';
import {
  DmdServiceClient,
  DmdServiceService,
  EstimateGlocalRequest,
  EstimateGlocalResponse,
} from '@glocal/proto/glocal/v1/dmd';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from './errors.ts';
import type { Duplex } from './handlers.ts';
import { serve } from './testing.ts';

type Echo = Duplex<EstimateGlocalRequest, EstimateGlocalResponse>;

let cleanUp: DisposableStack;
beforeEach(() => {
  cleanUp = new DisposableStack();
});
afterEach(() => cleanUp.dispose());

/** A call to a real server with this method: any two-way method of the contract will do. */
async function open(method: Echo) {
  const address = await serve(DmdServiceService, { estimateGlocal: method }, cleanUp);
  const client = new DmdServiceClient(address, credentials.createInsecure());
  cleanUp.defer(() => client.close());
  const call = client.estimateGlocal();
  call.on('error', () => {});
  return call;
}

const request = (windowId: string) => EstimateGlocalRequest.fromPartial({ windowId });
const response = (windowId: string) => EstimateGlocalResponse.fromPartial({ windowId });
const ids = async (call: AsyncIterable<EstimateGlocalResponse>) =>
  (await Array.fromAsync(call)).map(({ windowId }) => windowId);

describe('a two-way method', () => {
  it('answers while requests come, and goes on after the last of them', async () => {
    const call = await open(async function* (requests) {
      let count = 0;
      for await (const { windowId } of requests) {
        count += 1;
        yield response(`got ${windowId}`);
      }
      yield response(`${count} in all`);
    });
    call.write(request('a'));
    const [first] = (await once(call, 'data')) as [EstimateGlocalResponse];
    expect(first.windowId).toBe('got a');
    call.write(request('b'));
    call.end();
    expect(await ids(call)).toEqual(['got b', '2 in all']);
  });

  it('may answer without having read all requests', async () => {
    const call = await open(async function* (requests) {
      for await (const { windowId } of requests) {
        yield response(windowId);
        break;
      }
      yield response('enough');
    });
    call.write(request('a'));
    call.write(request('b'));
    expect(await ids(call)).toEqual(['a', 'enough']);
  });

  it('ends with a typed error', async () => {
    const call = await open(async function* (requests) {
      for await (const { windowId } of requests) {
        yield response(windowId);
        throw new ApiError(status.FAILED_PRECONDITION, 'NOT_TODAY', 'come back tomorrow');
      }
    });
    call.write(request('a'));
    const error = await ids(call).catch((failure: ServiceError) => failure);
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'come back tomorrow' });
  });

  it('is told when the client has gone: its requests end with the reason', async () => {
    const told = Promise.withResolvers<unknown>();
    let aborted = false;
    const call = await open(async function* (requests, { signal }) {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      try {
        for await (const { windowId } of requests) yield response(windowId);
        told.resolve('ended');
      } catch (error) {
        told.resolve(error);
      }
    });
    call.write(request('a'));
    await once(call, 'data');
    call.cancel();
    expect(await told.promise).toMatchObject({ code: status.CANCELLED });
    expect(aborted).toBe(true);
  });

  it('takes no more requests than it reads', async () => {
    const go = Promise.withResolvers<void>();
    const call = await open(async function* (requests) {
      await go.promise;
      let count = 0;
      for await (const _ of requests) count += 1;
      yield response(`${count}`);
    });
    let sent = 0;
    const large = request('x'.repeat(100_000));
    for (let i = 0; i < 200; i++) call.write(large, () => (sent += 1));
    call.end();
    let before = -1;
    await vi.waitFor(
      () => {
        const unchanged = sent === before;
        before = sent;
        expect(unchanged).toBe(true);
      },
      { timeout: 20_000, interval: 300 },
    );
    expect(sent).toBeLessThan(60);
    go.resolve();
    expect(await ids(call)).toEqual(['200']);
  });

  it('gives no more responses than the client reads', async () => {
    let yielded = 0;
    const call = await open(async function* () {
      for (; yielded < 200; yielded++) yield response('x'.repeat(100_000));
    });
    call.end();
    await once(call, 'readable');
    let before = -1;
    await vi.waitFor(
      () => {
        const unchanged = yielded > 0 && yielded === before;
        before = yielded;
        expect(unchanged).toBe(true);
      },
      { timeout: 20_000, interval: 300 },
    );
    expect(yielded).toBeLessThan(60);
    expect(await ids(call)).toHaveLength(200);
  });
});
