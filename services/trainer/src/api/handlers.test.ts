import { once } from 'node:events';
import type { ServerInfo, StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import {
  StudyServiceClient,
  type StudyServiceServer,
  StudyServiceService,
} from '@glocal/proto/glocal/v1/study_service';
import { ErrorInfo } from '@glocal/proto/google/rpc/error_details';
import { Status } from '@glocal/proto/google/rpc/status';
import {
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotFoundError } from '../resource/errors.ts';
import { ApiError } from './errors.ts';
import { serverStreaming, unary } from './handlers.ts';

let cleanUp: DisposableStack;
let log: string[];
const logger = pino({ level: 'debug' }, { write: (line: string) => log.push(line) });

beforeEach(() => {
  cleanUp = new DisposableStack();
  log = [];
});
afterEach(() => cleanUp.dispose());

/** A client of a real server with these methods. */
async function serve(methods: Partial<StudyServiceServer>): Promise<StudyServiceClient> {
  const server = new Server();
  server.addService(StudyServiceService, methods as UntypedServiceImplementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  cleanUp.defer(() => server.forceShutdown());
  const client = new StudyServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
  cleanUp.defer(() => client.close());
  return client;
}

function info(client: StudyServiceClient, metadata = new Metadata()): Promise<ServerInfo> {
  return new Promise((resolve, reject) => {
    client.getServerInfo({}, metadata, (error, response) =>
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
  it('answers with what its function resolves to', async () => {
    const answer = { version: '1', backend: 'b', dmdAddress: 'd', limits: undefined };
    const client = await serve({ getServerInfo: unary(logger, async () => answer) });
    expect(await info(client)).toEqual(answer);
  });

  it('passes an error of the API on, with its reason', async () => {
    const client = await serve({
      getServerInfo: unary(logger, async () => {
        throw new ApiError(status.FAILED_PRECONDITION, 'NOT_TODAY', 'come back tomorrow');
      }),
    });
    const error = await refusal(info(client));
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'come back tomorrow' });
    expect(reasonOf(error)).toBe('NOT_TODAY');
  });

  it('keeps what it did not expect to itself and its log, which has it under the request', async () => {
    const client = await serve({
      getServerInfo: unary(logger, async () => {
        throw new TypeError('the password is hunter2');
      }),
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
});

describe('a streaming method', () => {
  const event = (bytes: number): StudyEvent => ({
    cursor: 'x'.repeat(bytes),
    time: undefined,
    event: undefined,
  });

  it('sends all that its function yields', async () => {
    const client = await serve({
      watchStudy: serverStreaming(logger, async function* () {
        yield event(1);
        yield event(2);
      }),
    });
    const seen = await Array.fromAsync<StudyEvent>(client.watchStudy({ name: '', cursor: '' }));
    expect(seen.map(({ cursor }) => cursor)).toEqual(['x', 'xx']);
  });

  it('ends with the error that its function throws', async () => {
    const client = await serve({
      watchStudy: serverStreaming(logger, async function* () {
        yield event(1);
        throw new NotFoundError('studies/a');
      }),
    });
    const error = await refusal(Array.fromAsync(client.watchStudy({ name: '', cursor: '' })));
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'studies/a does not exist' });
  });

  it('yields no faster than the client reads', async () => {
    const total = 1_000;
    let yielded = 0;
    const client = await serve({
      watchStudy: serverStreaming(logger, async function* () {
        for (; yielded < total; yielded++) yield event(100_000);
      }),
    });
    const call = client.watchStudy({ name: '', cursor: '' });
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
    expect(yielded).toBeLessThan(total / 2);
    let read = 0;
    for await (const _ of call) read += 1;
    expect(read).toBe(total - 1);
  });

  it('is told when the client has gone, and cleans up', async () => {
    let gone = false;
    let cleaned = false;
    const client = await serve({
      watchStudy: serverStreaming(logger, async function* (_request, signal) {
        try {
          yield event(1);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          gone = true;
        } finally {
          cleaned = true;
        }
      }),
    });
    const call = client.watchStudy({ name: '', cursor: '' });
    call.on('error', () => {});
    for await (const _ of call) break;
    call.cancel();
    await vi.waitFor(() => expect({ gone, cleaned }).toEqual({ gone: true, cleaned: true }), {
      timeout: 20_000,
    });
  });
});
