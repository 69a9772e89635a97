import { once } from 'node:events';
import type { ServerInfo, StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { Limits, StudyServiceClient, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { ErrorInfo } from '@glocal/proto/google/rpc/error_details';
import { Status } from '@glocal/proto/google/rpc/status';
import {
  type CallOptions,
  Client,
  credentials,
  Metadata,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotFoundError } from '../resource/errors.ts';
import type { Call } from './call.ts';
import { Encoded } from './codec.ts';
import { ApiError } from './errors.ts';
import type { Methods } from './handlers.ts';
import { serve as serveMethods } from './testing.ts';

let cleanUp: DisposableStack;
let log: string[];
let stopping: AbortController;
const logger = pino({ level: 'debug' }, { write: (line: string) => log.push(line) });

beforeEach(() => {
  cleanUp = new DisposableStack();
  log = [];
  stopping = new AbortController();
});
afterEach(() => cleanUp.dispose());

/** Address of a real server with these methods of a service. */
function listen<Service extends ServiceDefinition>(
  service: Service,
  methods: Partial<Methods<Service>>,
): Promise<string> {
  return serveMethods(service, methods, cleanUp, { log: logger, stopping: stopping.signal });
}

/** A client of a server with these methods. */
async function serve(methods: Partial<Methods<typeof StudyServiceService>>): Promise<StudyServiceClient> {
  const client = new StudyServiceClient(
    await listen(StudyServiceService, methods),
    credentials.createInsecure(),
  );
  cleanUp.defer(() => client.close());
  return client;
}

function info(
  client: StudyServiceClient,
  metadata = new Metadata(),
  options: CallOptions = {},
): Promise<ServerInfo> {
  return new Promise((resolve, reject) => {
    client.getServerInfo({}, metadata, options, (error, response) =>
      error === null ? resolve(response as ServerInfo) : reject(error),
    );
  });
}

const refusal = (promise: Promise<unknown>): Promise<ServiceError> =>
  promise.then(
    () => expect.unreachable('the call succeeded'),
    (error) => error,
  );

const reasonOf = (error: ServiceError): string | undefined => {
  const [trailer] = error.metadata.get('grpc-status-details-bin');
  const [first] = Status.decode(trailer as Buffer).details;
  return first && ErrorInfo.decode(first.value).reason;
};

describe('a unary method', () => {
  const answer = {
    version: '1',
    backend: 'b',
    dmdAddress: 'd',
    limits: undefined,
    dmd: undefined,
    caller: undefined,
  };

  it('answers with what its function resolves to', async () => {
    const client = await serve({ getServerInfo: async () => answer });
    expect(await info(client)).toEqual(answer);
  });

  it('passes an error of the API on, with its reason', async () => {
    const client = await serve({
      getServerInfo: async () => {
        throw new ApiError(status.FAILED_PRECONDITION, 'NOT_TODAY', 'come back tomorrow');
      },
    });
    const error = await refusal(info(client));
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'come back tomorrow' });
    expect(reasonOf(error)).toBe('NOT_TODAY');
  });

  it('keeps what it did not expect to itself and its log, which has it under the request', async () => {
    const client = await serve({
      getServerInfo: async () => {
        throw new TypeError('the password is hunter2');
      },
    });
    const metadata = new Metadata();
    metadata.set('x-request-id', 'request-42');
    const error = await refusal(info(client, metadata));
    expect(error).toMatchObject({
      code: status.INTERNAL,
      details: "internal error; the server's log has it under request request-42",
    });
    expect(log.join('')).toContain('hunter2');
    expect(log.join('')).toContain('request-42');
  });

  it('knows metadata, peer, request and deadline of its call', async () => {
    let seen: Call | undefined;
    const client = await serve({
      getServerInfo: async (_request, call) => {
        seen = call;
        return answer;
      },
    });
    const metadata = new Metadata();
    metadata.set('x-request-id', 'request-42');
    metadata.set('x-tenant', 'mine');
    const deadline = Date.now() + 60_000;
    await info(client, metadata, { deadline });
    expect(seen).toMatchObject({
      method: '/glocal.v1.StudyService/GetServerInfo',
      requestId: 'request-42',
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
    expect(seen?.metadata.get('x-tenant')).toEqual(['mine']);
    expect(Math.abs((seen?.deadline?.getTime() ?? 0) - deadline)).toBeLessThan(10_000);
    await info(client);
    expect(seen?.deadline).toBeUndefined();
  });

  it('is told when the deadline has passed', async () => {
    const told = Promise.withResolvers<unknown>();
    const client = await serve({
      getServerInfo: async (_request, { signal }) => {
        signal.addEventListener('abort', () => told.resolve(signal.reason));
        await told.promise;
        return answer;
      },
    });
    const error = await refusal(info(client, new Metadata(), { deadline: Date.now() + 100 }));
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
    expect(await told.promise).toBeInstanceOf(ApiError);
  });

  it('refuses bytes that are not a message of the contract', async () => {
    const address = await listen(StudyServiceService, { getStudy: async () => expect.unreachable() });
    const client = new Client(address, credentials.createInsecure());
    cleanUp.defer(() => client.close());
    const asItIs = (bytes: Buffer) => bytes;
    for (const bytes of [Buffer.of(0x0a, 0x7f, 0x61), Buffer.of(0xff), Buffer.of(0x0f)]) {
      const call = new Promise((resolve, reject) => {
        const { path } = StudyServiceService.getStudy;
        client.makeUnaryRequest(path, asItIs, asItIs, bytes, (error, response) =>
          error === null ? resolve(response) : reject(error),
        );
      });
      const error = await refusal(call);
      expect(error).toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: expect.stringMatching(/^the request cannot be decoded/),
      });
      expect(reasonOf(error)).toBe('MALFORMED_REQUEST');
    }
  });

  it('says and logs that its response does not fit the contract', async () => {
    const limits = Limits.create({ maxSteps: 3e9 });
    const client = await serve({ getServerInfo: async () => ({ ...answer, limits }) });
    const metadata = new Metadata();
    metadata.set('x-request-id', 'request-42');
    const error = await refusal(info(client, metadata));
    expect(error).toMatchObject({ code: status.INTERNAL, details: expect.stringContaining('request-42') });
    expect(reasonOf(error)).toBe('SERIALIZATION');
    expect(log.join('')).toMatch(/GetServerInfo.*3000000000/);
  });

  it('says that its response is larger than clients receive', async () => {
    const client = await serve({
      getServerInfo: async () => ({ ...answer, backend: 'x'.repeat(5_000_000) }),
    });
    const error = await refusal(info(client));
    expect(error).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(/the answer has 50000\d\d bytes, and a message may have 4194304/),
    });
    expect(reasonOf(error)).toBe('MESSAGE_SIZE');
  });
});

describe('a streaming method', () => {
  const event = (bytes: number): StudyEvent => ({
    cursor: 'x'.repeat(bytes),
    time: undefined,
    event: undefined,
  });

  it('sends all that its function yields', async () => {
    const client = await serve({
      watchStudy: async function* () {
        yield event(1);
        yield event(2);
      },
    });
    const seen = await Array.fromAsync<StudyEvent>(client.watchStudy({ name: '', cursor: '', maxLag: 0 }));
    expect(seen.map(({ cursor }) => cursor)).toEqual(['x', 'xx']);
  });

  it('ends with the error that its function throws', async () => {
    const client = await serve({
      watchStudy: async function* () {
        yield event(1);
        throw new NotFoundError('studies/a');
      },
    });
    const error = await refusal(Array.fromAsync(client.watchStudy({ name: '', cursor: '', maxLag: 0 })));
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'studies/a does not exist' });
  });

  it('sends what is encoded already as it is', async () => {
    const bytes = StudyServiceService.watchStudy.responseSerialize(event(3));
    const client = await serve({
      watchStudy: async function* () {
        yield new Encoded(bytes);
      },
    });
    const seen = await Array.fromAsync<StudyEvent>(client.watchStudy({ name: '', cursor: '', maxLag: 0 }));
    expect(seen).toEqual([event(3)]);
  });

  it('says and logs that a response does not fit the contract', async () => {
    const value = { trial: 't', stepsDone: 1, steps: 3e9 };
    const client = await serve({
      watchStudy: async function* () {
        yield event(1);
        yield { ...event(2), event: { $case: 'progress', value } };
      },
    });
    const seen: StudyEvent[] = [];
    const call = client.watchStudy({ name: '', cursor: '', maxLag: 0 });
    const error = await refusal(
      (async () => {
        for await (const response of call) seen.push(response);
      })(),
    );
    expect(seen).toEqual([event(1)]);
    expect(error.code).toBe(status.INTERNAL);
    expect(reasonOf(error)).toBe('SERIALIZATION');
    expect(log.join('')).toMatch(/WatchStudy.*3000000000/);
  });

  it('yields no faster than the client reads', async () => {
    const total = 1_000;
    let yielded = 0;
    const client = await serve({
      watchStudy: async function* () {
        for (; yielded < total; yielded++) yield event(100_000);
      },
    });
    const call = client.watchStudy({ name: '', cursor: '', maxLag: 0 });
    call.on('error', () => {});
    // The reader stops after the first: the buffers on the way fill up, and then nothing more is asked for.
    await once(call, 'readable');
    call.read();
    let before = -1;
    await vi.waitFor(
      () => {
        const unchanged = yielded > 0 && yielded === before;
        before = yielded;
        expect(unchanged).toBe(true);
      },
      { timeout: 20_000, interval: 300 },
    );
    expect(yielded).toBeLessThan(20);
    let read = 0;
    for await (const _ of call) read += 1;
    expect(read).toBe(total - 1);
  });

  it('is told when the client has gone, and cleans up', async () => {
    let gone = false;
    let cleaned = false;
    const client = await serve({
      watchStudy: async function* (_request, { signal }) {
        try {
          yield event(1);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          gone = true;
        } finally {
          cleaned = true;
        }
      },
    });
    const call = client.watchStudy({ name: '', cursor: '', maxLag: 0 });
    call.on('error', () => {});
    for await (const _ of call) break;
    call.cancel();
    await vi.waitFor(() => expect({ gone, cleaned }).toEqual({ gone: true, cleaned: true }), {
      timeout: 20_000,
    });
  });
});
