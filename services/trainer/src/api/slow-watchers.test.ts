import { once } from 'node:events';
import { connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import {
  Limits,
  type StudyEvent,
  StudyServiceClient,
  StudyServiceService,
} from '@glocal/proto/glocal/v1/study_service';
import { credentials, ServerCredentials, status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EventHub } from '../events/hub.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import type { Claim } from '../store/store.ts';
import { type ApiServer, startServer } from './server.ts';
import type { StudyServiceParts } from './study-service.ts';

const NAME = 'studies/a';
const TRIAL = `${NAME}/trials/0`;
const EVENTS = 120;
/** Doubles in an event: 160 kB of them. */
const COMPONENTS = 20_000;

let cleanUp: AsyncDisposableStack;
let store: SqliteStore;
let hub: EventHub;
let claim: Claim;

beforeEach(async () => {
  cleanUp = new AsyncDisposableStack();
  store = SqliteStore.inMemory();
  cleanUp.defer(() => store.close());
  hub = new EventHub();
  await store.createStudy({
    study: Study.fromPartial({ name: NAME, state: StudyState.ACTIVE }),
    trials: [Trial.fromPartial({ name: TRIAL, state: TrialState.PENDING })],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 1,
  });
  ({ claim } = await store.startTrial(TRIAL));
  for (let index = 1; index <= EVENTS; index++) await outerStep(index);
});
afterEach(() => cleanUp.disposeAsync());

async function outerStep(index: number): Promise<void> {
  const hypergradient = Array<number>(COMPONENTS).fill(index);
  const name = `${TRIAL}/outerSteps/${index}`;
  await store.addOuterStep(claim, OuterStep.fromPartial({ name, index, update: { hypergradient } }));
  hub.changed(NAME);
}

async function serve(maxWatchBytes: number): Promise<ApiServer> {
  const limits = Limits.create({ maxWatchers: 1_000, maxWatchBytes, maxMessageBytes: 4_194_304 });
  // Watches use neither queue nor catalogue nor artifacts.
  const parts = {
    store,
    hub,
    log: pino({ level: 'silent' }),
    dmd: { status: { reachable: true }, onChange: () => () => {} },
    info: { limits },
    artifacts: {},
  } as unknown as StudyServiceParts;
  const security = {
    credentials: ServerCredentials.createInsecure(),
    authenticator: undefined,
    audit: undefined,
  };
  const server = await startServer('127.0.0.1:0', { ...parts, security });
  cleanUp.defer(() => server.stop());
  return server;
}

/** A watch on a connection of its own, of which nothing is read yet. */
function watch({ address }: ApiServer) {
  const client = new StudyServiceClient(address, credentials.createInsecure());
  cleanUp.defer(() => client.close());
  const call = client.watchStudy({ name: NAME, cursor: '', maxLag: 0 });
  call.on('error', () => {});
  cleanUp.defer(() => call.cancel());
  return call;
}

/**
 * Bytes in use, without garbage: V8 frees the buffers that a collection found in a thread of its own, and the next
 * collection waits for that.
 */
async function memory(): Promise<number> {
  await sleep(1_000);
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * Watchers to whom the server has begun to send, and who read nothing of it: below gRPC, whose client for Node takes up
 * everything whether it is read or not.
 */
async function slowWatchers({ address }: ApiServer, count: number): Promise<void> {
  const { path, requestSerialize } = StudyServiceService.watchStudy;
  const message = requestSerialize({ name: NAME, cursor: '', maxLag: 0 });
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  const answered = Array.from({ length: count }, async () => {
    const session = connect(`http://${address}`);
    cleanUp.defer(() => session.destroy());
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request(headers);
    stream.end(Buffer.concat([frame, message]));
    await once(stream, 'response');
  });
  await Promise.all(answered);
}

it('forty watchers that do not read hold about an event each, and one that reads gets all of them', async () => {
  const server = await serve(256 * 1024 * 1024);
  const before = await memory();
  await slowWatchers(server, 40);
  let seen = 0;
  const reading = watch(server);
  for await (const _ of reading) {
    seen += 1;
    if (seen === EVENTS + 2) break;
  }
  expect(seen).toBe(EVENTS + 2);
  const megabytes = ((await memory()) - before) / 2 ** 20;
  // The server keeps each event once, too: 120 of them are 19 MB.
  expect(megabytes).toBeLessThan(120);
});

it('a watcher that comes when others hold all that there is, is asked to come again', async () => {
  const server = await serve(300_000);
  await slowWatchers(server, 3);
  const error = await Array.fromAsync<StudyEvent>(watch(server)).catch((failure) => failure);
  expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  expect(error.details).toMatch(/watchers hold the 225000 bytes that this server allows them in all/);
});
