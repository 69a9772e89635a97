/** What a client shows of who calls. */

import type {
  WatchStudyRequest,
  StudyEvent as WatchStudyResponse,
} from '@glocal/proto/glocal/v1/study_service';
import {
  GlocalClient,
  type GlocalError,
  type LogEntry,
  type TokenSource,
  UnauthenticatedError,
} from '@glocal/sdk';
import { type Metadata, type ServerWritableStream, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { history, STUDY, study } from './support/messages.ts';
import { type ScriptedServer, serviceError, startScriptedServer } from './support/scripted-server.ts';

let server: ScriptedServer;
let shown: unknown[];
/** Tokens that the server does not take. */
let refused: Set<string>;
/** What a watch does; undefined: everything after its cursor, then the end. */
let watch: ((call: ServerWritableStream<WatchStudyRequest, WatchStudyResponse>) => void) | undefined;

const stored = history(6);
const refusal = () =>
  serviceError({ code: status.UNAUTHENTICATED, message: 'get a new one', reason: 'EXPIRED_TOKEN' });

/** Notes the token of a call, and whether the server takes it. */
function takes(metadata: Metadata): boolean {
  const [authorization] = metadata.get('authorization');
  shown.push(authorization);
  return !refused.has(String(authorization).replace('Bearer ', ''));
}

beforeAll(async () => {
  server = await startScriptedServer({
    getStudy: ({ metadata }, callback) => (takes(metadata) ? callback(null, study()) : callback(refusal())),
    watchStudy: (call) => {
      if (!takes(call.metadata)) return void call.emit('error', refusal());
      if (watch !== undefined) return watch(call);
      for (const event of stored.slice(Number(call.request.cursor))) call.write(event);
      call.end();
    },
    getServerInfo: ({ metadata }, callback) => {
      shown.push(...metadata.get('authorization'));
      callback(null, {
        ...{ version: '1', backend: '', dmdAddress: '' },
        ...{ limits: undefined, dmd: undefined, caller: undefined },
      });
    },
  });
});
afterAll(() => server.stop());
beforeEach(() => {
  shown = [];
  refused = new Set();
  watch = undefined;
});

async function callTwice(token?: string | TokenSource): Promise<unknown[]> {
  shown = [];
  await using client = new GlocalClient({ address: server.address, token });
  await client.serverInfo();
  await client.serverInfo();
  return shown;
}

describe('a token', () => {
  it('goes along with every call', async () => {
    expect(await callTwice('t0ken')).toEqual(['Bearer t0ken', 'Bearer t0ken']);
    expect(await callTwice()).toEqual([]);
  });

  it('goes along with the first question, whether the server is there', async () => {
    shown = [];
    await using _client = await GlocalClient.connect({ address: server.address, token: 't0ken' });
    expect(shown).toEqual(['Bearer t0ken']);
  });

  it('may be renewed from call to call', async () => {
    const tokens = ['old', 'new'];
    expect(await callTwice(() => tokens.shift() ?? '')).toEqual(['Bearer old', 'Bearer new']);
  });

  it.each(['', 'sec ret', 'secret\n', 7, null])(
    'that cannot travel is refused, and not repeated: %j',
    async (token) => {
      const options = { address: server.address, token: token as string };
      const field = { fieldViolations: [{ field: 'token' }], code: 'INVALID_ARGUMENT' };
      expect(() => new GlocalClient(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
      await using client = new GlocalClient({ ...options, token: () => token as string });
      const error: GlocalError = await client.serverInfo().then(
        () => expect.unreachable('it was sent'),
        (reason) => reason,
      );
      expect(error).toMatchObject({ ...field, reason: 'TOKEN' });
      expect(String(error)).not.toContain('sec');
    },
  );
});

describe('a function that gives tokens', () => {
  const HOUR = 3_600_000;
  const inAnHour = () => new Date(Date.now() + HOUR);
  const bearers = (...tokens: string[]) => tokens.map((token) => `Bearer ${token}`);

  /** Tokens `t1`, `t2`, … each of which is good until `expiresAt`. */
  function numbered(expiresAt: () => Date = inAnHour) {
    let given = 0;
    const source = async () => ({ token: `t${++given}`, expiresAt: expiresAt() });
    return Object.assign(source, { given: () => given });
  }

  /** A clock that stands until it is moved on. */
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());
  const pass = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);

  it('may take its time', async () => {
    const tokens = ['old', 'new'];
    expect(await callTwice(async () => tokens.shift() ?? '')).toEqual(bearers('old', 'new'));
  });

  it('is asked once for calls that need one at the same time, and again shortly before it expires', async () => {
    const source = numbered();
    await using client = new GlocalClient({ address: server.address, token: source });
    await Promise.all([client.serverInfo(), client.serverInfo(), client.serverInfo()]);
    expect(source.given()).toBe(1);
    pass(HOUR - 61_000);
    await client.serverInfo();
    pass(2_000);
    await client.serverInfo();
    expect(shown).toEqual(bearers('t1', 't1', 't1', 't1', 't2'));
  });

  it('may fail as long as the token before is good', async () => {
    let asked = 0;
    const log: LogEntry[] = [];
    const token = () => {
      asked += 1;
      if (asked > 1) throw new Error('secret of the issuer');
      return { token: 't1', expiresAt: inAnHour() };
    };
    await using client = new GlocalClient({
      ...{ address: server.address, token, retry: { maxAttempts: 1 } },
      logger: (entry) => log.push(entry),
    });
    await client.serverInfo();
    pass(HOUR - 1_000);
    await client.serverInfo();
    expect(shown).toEqual(bearers('t1', 't1'));
    expect(log).toContainEqual(expect.objectContaining({ level: 'warn' }));
    pass(2_000);
    const error = await rejection<GlocalError>(client.serverInfo());
    expect(error).toMatchObject({ code: 'UNAVAILABLE', reason: 'TOKEN', retryable: true });
    expect(String(error) + JSON.stringify(log)).not.toMatch(/secret|t1/);
  });

  it('is not waited for longer than the call may take, nor when the signal is aborted', async () => {
    const token = () => new Promise<string>(() => {});
    await using client = new GlocalClient({ address: server.address, token });
    expect(await rejection(client.serverInfo({ timeout: 100 }))).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const signal = AbortSignal.timeout(100);
    expect(await rejection(client.serverInfo({ signal }))).toMatchObject({ code: 'CANCELLED' });
  });

  it('is asked anew, once, when the server refuses its token', async () => {
    refused = new Set(['t1']);
    const source = numbered();
    await using client = new GlocalClient({ address: server.address, token: source });
    await Promise.all([client.studies.get(STUDY), client.studies.get(STUDY)]);
    expect(source.given()).toBe(2);
    refused = new Set(['t2', 't3']);
    const error = await rejection(client.studies.get(STUDY));
    expect(error).toBeInstanceOf(UnauthenticatedError);
    expect(error).toMatchObject({ reason: 'EXPIRED_TOKEN' });
    expect(source.given()).toBe(3);
  });

  it('gives what a watch goes on with after its token has expired', async () => {
    const log: LogEntry[] = [];
    const source = numbered();
    await using client = new GlocalClient({
      ...{ address: server.address, token: source },
      logger: (entry) => log.push(entry),
    });
    const watched = await client.studies.get(STUDY);
    watch = (call) => {
      const cursor = Number(call.request.cursor);
      for (const event of stored.slice(cursor, cursor + 3)) call.write(event);
      if (cursor + 3 >= stored.length) return void call.end();
      // As the trainer does when it finds out that a token has expired.
      setTimeout(() => {
        refused.add(`t${source.given()}`);
        call.emit('error', refusal());
      }, 50);
    };
    const seen: string[] = [];
    for await (const { cursor } of watched.watch()) seen.push(cursor);
    expect(seen).toEqual(stored.map(({ cursor }) => cursor));
    expect(shown).toEqual(bearers('t1', 't1', 't2', 't3'));
    expect(log.map(({ level }) => level)).toContain('info');
    expect(JSON.stringify(log)).not.toMatch(/"t[123]|Bearer/);
  });

  it('ends a watch whose tokens are refused twice', async () => {
    const source = numbered();
    await using client = new GlocalClient({ address: server.address, token: source });
    const watched = await client.studies.get(STUDY);
    refused = new Set(['t1', 't2', 't3']);
    expect(await rejection(watched.watch().next())).toBeInstanceOf(UnauthenticatedError);
    expect(source.given()).toBe(2);
  });

  it('is not there for a token that is given as it is', async () => {
    refused = new Set(['t0ken']);
    await using client = new GlocalClient({ address: server.address, token: 't0ken' });
    expect(await rejection(client.studies.get(STUDY))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(shown).toEqual(bearers('t0ken'));
  });

  it.each([
    [{ token: 'sec ret', expiresAt: new Date() }, 'token'],
    [{ token: 'secret', expiresAt: 'tomorrow' }, 'token.expiresAt'],
    [{ token: 'secret' }, 'token.expiresAt'],
  ])('is told what is wrong with %o, which is not repeated', async (given, field) => {
    const token = (() => given) as unknown as TokenSource;
    await using client = new GlocalClient({ address: server.address, token });
    const error = await rejection<GlocalError>(client.serverInfo());
    expect(error).toMatchObject({ reason: 'TOKEN', fieldViolations: [{ field }] });
    expect(String(error)).not.toContain('sec');
  });
});
