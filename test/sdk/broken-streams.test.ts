/** Calls that end below gRPC: to the caller that is a lost connection, whatever HTTP/2 calls it. */

import { constants } from 'node:http2';
import { Study, Window } from '@glocal/proto/glocal/v1/study';
import { ListTrialsResponse, OuterStepPart, StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { GlocalClient, type GlocalError } from '@glocal/sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { type Http2Server, type RawCall, startHttp2Server } from './support/http2-server.ts';
import { history, outerStep, STUDY, study, trial } from './support/messages.ts';

const stored = history(6);

let server: Http2Server | undefined;
let client: GlocalClient | undefined;
afterEach(() => {
  client?.close();
  server?.close();
});

/** @param watch what one request to watch gets, the first of which has attempt 1 */
async function open(watch: (call: RawCall, attempt: number) => void) {
  let attempts = 0;
  server = await startHttp2Server((call) => {
    if (call.method === 'WatchStudy') return watch(call, ++attempts);
    call.begin();
    call.send(Study.encode(study()).finish());
    call.end();
  });
  client = new GlocalClient({ address: server.address });
  const watched = await client.studies.get(STUDY);
  return { watched, attempts: () => attempts };
}

const send = (call: RawCall, from: number, to: number) => {
  for (const event of stored.slice(from, to)) call.send(StudyEvent.encode(event).finish());
};

/** Ways in which a stream ends that is not ended by a gRPC server. */
const breaks: [what: string, (call: RawCall) => void][] = [
  ['is reset as INTERNAL_ERROR', ({ stream }) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
  ['is reset as PROTOCOL_ERROR', ({ stream }) => stream.close(constants.NGHTTP2_PROTOCOL_ERROR)],
  ['is reset as CANCEL', ({ stream }) => stream.close(constants.NGHTTP2_CANCEL)],
  ['ends without a status', ({ stream }) => stream.destroy()],
  [
    'takes its connection along',
    ({ stream }) => stream.session?.goaway(constants.NGHTTP2_PROTOCOL_ERROR, 0, Buffer.of()),
  ],
];

describe.each(breaks)('a stream that %s', (_what, breakOff) => {
  it('is a lost connection to a watch, which goes on from the last event', async () => {
    const { watched, attempts } = await open((call, attempt) => {
      call.begin();
      if (attempt === 1) {
        send(call, 0, 3);
        setTimeout(() => breakOff(call), 50);
      } else {
        send(call, 3, stored.length);
        call.end();
      }
    });
    const lost: GlocalError[] = [];
    const seen: string[] = [];
    for await (const { cursor } of watched.watch({ onDisconnect: (error) => lost.push(error) })) {
      seen.push(cursor);
    }
    expect(seen).toEqual(stored.map(({ cursor }) => cursor));
    expect(lost.map(({ code, reason }) => ({ code, reason }))).toEqual([
      { code: 'UNAVAILABLE', reason: 'UNREACHABLE' },
    ]);
    expect(attempts()).toBe(2);
  });
});

it('a stream with headers that are too large is a lost connection too', async () => {
  const { watched } = await open(({ stream }) => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`header-${i}`, 'x'.repeat(100)]));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...many });
  });
  expect(await rejection(watched.watch({ reconnectTimeout: 0 }).next())).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('it broke the call off'),
  });
});

it('a watch that breaks at the same place each time, before anything came, gives up after reconnectTimeout', async () => {
  const { watched, attempts } = await open((call) => {
    call.begin();
    setTimeout(() => call.stream.close(constants.NGHTTP2_INTERNAL_ERROR), 20);
  });
  const start = performance.now();
  expect(await rejection(watched.watch({ reconnectTimeout: 1_500 }).next())).toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'UNREACHABLE',
  });
  expect(performance.now() - start).toBeGreaterThan(1_400);
  // Pauses that grow: it does not hammer.
  expect(attempts()).toBeLessThan(12);
});

it('a large outer step whose stream is broken in the middle is read again', async () => {
  const parts: Uint8Array[] = [
    {
      $case: 'outerStep' as const,
      value: outerStep(1, { window: Window.create({ rows: 2, components: ['lr'] }) }),
    },
    ...[1, 2].map((value) => ({
      $case: 'hypergradients' as const,
      value: Buffer.from(Float64Array.of(value).buffer),
    })),
  ].map((part) => OuterStepPart.encode({ part }).finish());
  let attempts = 0;
  server = await startHttp2Server((call) => {
    call.begin();
    if (call.method === 'GetStudy') call.send(Study.encode(study()).finish());
    else if (call.method === 'ListTrials') {
      call.send(ListTrialsResponse.encode({ trials: [trial()], nextPageToken: '' }).finish());
    } else if (++attempts === 1) {
      for (const part of parts.slice(0, 2)) call.send(part);
      setTimeout(() => call.stream.close(constants.NGHTTP2_INTERNAL_ERROR), 50);
      return;
    } else for (const part of parts) call.send(part);
    call.end();
  });
  client = new GlocalClient({ address: server.address, retry: { initialBackoff: 10 } });
  const { window } = await (await client.studies.get(STUDY)).outerStep(1);
  expect(window?.hypergradients).toEqual([Float64Array.of(1), Float64Array.of(2)]);
  expect(attempts).toBe(2);
});

it('a call that is broken off is UNAVAILABLE, naming the address', async () => {
  server = await startHttp2Server((call) => {
    call.begin();
    setTimeout(() => call.stream.close(constants.NGHTTP2_INTERNAL_ERROR), 20);
  });
  client = new GlocalClient({ address: server.address });
  expect(await rejection(client.problems())).toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'UNREACHABLE',
    message: expect.stringMatching(
      `no answer from the Glocal server at ${server.address}: it broke the call off`,
    ),
  });
});
