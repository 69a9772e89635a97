/** A watch over connections that break. */

import { StudyState } from '@glocal/proto/glocal/v1/study';
import type { StudyEvent as EventMessage, WatchStudyRequest } from '@glocal/proto/glocal/v1/study_service';
import { type GlocalClient as Client, GlocalClient, type GlocalError, type StudyEvent } from '@glocal/sdk';
import { Metadata, type ServerWritableStream, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { event, history, STUDY, study, TRIAL, trial } from './support/messages.ts';
import { TcpProxy } from './support/proxy.ts';
import {
  type Script,
  type ScriptedServer,
  serviceError,
  startScriptedServer,
} from './support/scripted-server.ts';

type WatchCall = ServerWritableStream<WatchStudyRequest, EventMessage>;

const STEPS = 30;
const stored = history(STEPS);
const retry = { initialBackoff: 10 };

let server: ScriptedServer;
let proxy: TcpProxy;
let client: Client;
/** Cursors of all requests so far. */
let cursors: string[];
/** What one request does; undefined: everything after its cursor, then the end. */
let answer: ((call: WatchCall, attempt: number) => void) | undefined;

const after = (cursor: string) => stored.filter((message) => Number(message.cursor) > Number(cursor));
const send = (call: WatchCall, messages: readonly EventMessage[]) => {
  for (const message of messages) call.write(message);
};

const script: Script = {
  getStudy: (_call, callback) => callback(null, study()),
  watchStudy: (call) => {
    cursors.push(call.request.cursor);
    if (answer !== undefined) return answer(call, cursors.length);
    send(call, after(call.request.cursor));
    call.end();
  },
};

beforeEach(async () => {
  cursors = [];
  answer = undefined;
  server = await startScriptedServer(script);
  proxy = await TcpProxy.start(server.port);
  client = new GlocalClient({ address: proxy.address, retry });
});

afterEach(async () => {
  client.close();
  await proxy.close();
  server.stop();
});

const open = () => client.studies.get(STUDY);

async function cursorsOf(events: AsyncIterable<StudyEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { cursor } of events) seen.push(cursor);
  return seen;
}

const all = stored.map(({ cursor }) => cursor);

describe('a watch whose connection is broken', () => {
  it('goes on from the last event, so that each comes once and in order', async () => {
    answer = (call) => {
      const rest = after(call.request.cursor);
      send(call, rest.slice(0, 8));
      if (rest.length <= 8) call.end();
    };
    const watched = await open();
    const seen: string[] = [];
    for await (const { cursor } of watched.watch()) {
      seen.push(cursor);
      if (seen.length % 7 === 0) proxy.cut();
    }
    expect(seen).toEqual(all);
    expect(cursors.length).toBeGreaterThan(1);
  });

  it('goes on when the connection breaks while nothing happens', async () => {
    answer = (call, attempt) => {
      send(call, attempt === 1 ? stored.slice(0, 5) : after(call.request.cursor));
      if (attempt > 1) call.end();
    };
    const watched = await open();
    setTimeout(() => proxy.cut(), 200);
    expect(await cursorsOf(watched.watch())).toEqual(all);
    expect(cursors).toEqual(['', '5']);
  });

  it('goes on with a server that was away for a while', async () => {
    answer = (call, attempt) => {
      send(call, attempt === 1 ? stored.slice(0, 5) : after(call.request.cursor));
      if (attempt > 1) call.end();
    };
    const watched = await open();
    const disconnects: GlocalError[] = [];
    setTimeout(async () => {
      await proxy.close();
      setTimeout(() => proxy.open(), 1_000);
    }, 200);
    const watch = watched.watch({ onDisconnect: (error) => disconnects.push(error) });
    expect(await cursorsOf(watch)).toEqual(all);
    expect(disconnects.length).toBeGreaterThan(1);
    expect(disconnects.every(({ code }) => code === 'UNAVAILABLE')).toBe(true);
  });

  it('goes on when the server itself shuts down at once and is started again', async () => {
    answer = (call, attempt) => {
      send(call, attempt === 1 ? stored.slice(0, 5) : after(call.request.cursor));
      if (attempt > 1) call.end();
    };
    const watched = await open();
    const { port } = server;
    setTimeout(async () => {
      server.stop();
      server = await startScriptedServer(script, { port });
    }, 200);
    expect(await cursorsOf(watched.watch())).toEqual(all);
    expect(cursors).toEqual(['', '5']);
  });

  it('goes on when the connection falls silent', async () => {
    client.close();
    client = new GlocalClient({ address: proxy.address, retry, keepalive: { time: 300, timeout: 300 } });
    answer = (call, attempt) => {
      send(call, attempt === 1 ? stored.slice(0, 5) : after(call.request.cursor));
      if (attempt > 1) call.end();
    };
    const watched = await open();
    setTimeout(() => proxy.freeze(), 200);
    expect(await cursorsOf(watched.watch())).toEqual(all);
    expect(cursors).toEqual(['', '5']);
  });

  it('gives up after reconnectTimeout, naming the address', async () => {
    answer = (call) => send(call, stored.slice(0, 5));
    const watched = await open();
    setTimeout(() => proxy.close(), 200);
    await expect(cursorsOf(watched.watch({ reconnectTimeout: 500 }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'UNREACHABLE',
      message: expect.stringContaining(proxy.address),
    });
  });

  it('counts reconnectTimeout anew when the server answered in between, be it with no event', async () => {
    answer = (call, attempt) => {
      if (attempt <= 2) {
        call.sendMetadata(new Metadata());
        setTimeout(() => proxy.cut(), 1_600);
      } else {
        send(call, stored);
        call.end();
      }
    };
    const watched = await open();
    expect(await cursorsOf(watched.watch({ reconnectTimeout: 1_500 }))).toEqual(all);
    expect(cursors).toHaveLength(3);
  });

  it('waits as long as a server asks that still counts the lost watcher', async () => {
    answer = (call, attempt) => {
      if (attempt === 1) {
        send(call, stored.slice(0, 5));
        setTimeout(() => proxy.cut(), 100);
      } else if (attempt === 2) {
        const code = status.RESOURCE_EXHAUSTED;
        call.emit(
          'error',
          serviceError({ code, message: 'too many', reason: 'WATCHERS', retryAfterMs: 300 }),
        );
      } else {
        send(call, after(call.request.cursor));
        call.end();
      }
    };
    const watched = await open();
    expect(await cursorsOf(watched.watch())).toEqual(all);
    expect(cursors).toEqual(['', '5', '5']);
  });
});

describe('a watch', () => {
  it('starts after the cursor given', async () => {
    const watched = await open();
    expect(await cursorsOf(watched.watch({ cursor: '10' }))).toEqual(all.slice(10));
    expect(cursors).toEqual(['10']);
  });

  it('throws other errors at once', async () => {
    answer = (call) => {
      const code = status.RESOURCE_EXHAUSTED;
      call.emit('error', serviceError({ code, message: 'too many', reason: 'WATCHERS', retryAfterMs: 1 }));
    };
    const watched = await open();
    await expect(cursorsOf(watched.watch())).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'WATCHERS',
    });
    expect(cursors).toHaveLength(1);
  });

  it.each([status.OUT_OF_RANGE, status.INVALID_ARGUMENT])(
    'says that a cursor is beyond the last event, and asks no more, with code %i',
    async (code) => {
      answer = (call) => {
        const violations = [{ field: 'cursor', description: '99 is beyond the last event, 32' }];
        call.emit('error', serviceError({ code, message: 'cursor: 99 is …', reason: 'CURSOR', violations }));
      };
      const watched = await open();
      await expect(cursorsOf(watched.watch({ cursor: '99' }))).rejects.toMatchObject({
        code: status[code],
        reason: 'CURSOR',
        message: 'cursor: 99 is beyond the last event, 32',
      });
      expect(cursors).toEqual(['99']);
    },
  );

  it('ends with its signal, also while nothing happens', async () => {
    answer = (call) => send(call, stored.slice(0, 5));
    const watched = await open();
    const reason = new Error('enough');
    const abort = new AbortController();
    setTimeout(() => abort.abort(reason), 200);
    await expect(cursorsOf(watched.watch({ signal: abort.signal }))).rejects.toMatchObject({
      code: 'CANCELLED',
      cause: reason,
    });
  });

  it('ends when the client is closed', async () => {
    answer = (call) => send(call, stored.slice(0, 5));
    const watched = await open();
    setTimeout(() => client.close(), 200);
    await expect(cursorsOf(watched.watch())).rejects.toMatchObject({
      code: 'CANCELLED',
      reason: 'CLIENT_CLOSED',
    });
  });

  it('cancels its call when the loop is left', async () => {
    const cancelled = new Promise<void>((resolve) => {
      answer = (call) => {
        call.on('cancelled', resolve);
        send(call, stored.slice(0, 5));
      };
    });
    const watched = await open();
    for await (const { cursor } of watched.watch()) if (cursor === '3') break;
    await cancelled;
  });

  it('keeps the state of its study up to date', async () => {
    const watched = await open();
    expect(watched.state).toBe('ACTIVE');
    expect(watched.ended).toBe(false);
    await cursorsOf(watched.watch());
    expect(watched.state).toBe('COMPLETED');
    expect(watched.ended).toBe(true);
  });

  it('gives a snapshot in place of what was missed, and goes on from there', async () => {
    const lags: number[] = [];
    answer = (call) => {
      lags.push(call.request.maxLag);
      send(call, [
        event(1, { $case: 'study', value: study() }),
        event(9, {
          $case: 'snapshot',
          value: { study: study(StudyState.PAUSED), trials: [trial(0), trial(1)], missedEvents: 8 },
        }),
      ]);
      call.end();
    };
    const watched = await open();
    const events: StudyEvent[] = [];
    for await (const event of watched.watch({ maxLag: 100 })) events.push(event);
    expect(events[1]).toMatchObject({
      type: 'snapshot',
      cursor: '9',
      study: { name: STUDY, state: 'PAUSED' },
      trials: [{ name: TRIAL }, { name: `${STUDY}/trials/1` }],
      missedEvents: 8,
    });
    expect(watched.state).toBe('PAUSED');
    expect(lags).toEqual([100]);
  });

  it('tells of trials, progress, and leaves out what only newer versions know', async () => {
    answer = (call) => {
      send(call, [
        event(1, { $case: 'study', value: study() }),
        event(2, { $case: 'progress', value: { trial: TRIAL, stepsDone: 7, steps: 100 } }),
        { cursor: '3', time: new Date(), event: undefined },
        event(4, { $case: 'study', value: study(StudyState.CANCELLED) }),
      ]);
      call.end();
    };
    const watched = await open();
    const events: StudyEvent[] = [];
    for await (const event of watched.watch()) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(['study', 'progress', 'study']);
    expect(events[1]).toEqual({
      type: 'progress',
      cursor: '2',
      time: new Date(2_000),
      trial: TRIAL,
      stepsDone: 7,
      steps: 100,
    });
  });
});
