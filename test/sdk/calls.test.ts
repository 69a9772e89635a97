/** Calls to a server that is away, slow, or says no. */

import { fileURLToPath } from 'node:url';
import { StudyState } from '@glocal/proto/glocal/v1/study';
import {
  Artifact,
  ListProblemsResponse,
  ReanalyzeWindowResponse,
} from '@glocal/proto/glocal/v1/study_service';
import { Status } from '@glocal/proto/google/rpc/status';
import {
  DeadlineExceededError,
  fixed,
  float,
  GlocalClient,
  GlocalError,
  type LogEntry,
  space,
  UnavailableError,
} from '@glocal/sdk';
import {
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterEach, describe, expect, it } from 'vitest';
import { outerStep, STUDY, study, TRIAL, trial } from './support/messages.ts';
import {
  type Script,
  type ScriptedServer,
  serviceError,
  startScriptedServer,
} from './support/scripted-server.ts';

const ARTIFACT = 'artifacts/01test';

const spec = {
  space: space({ lr: float({ min: 1e-4, max: 1, init: 0.01 }), weightDecay: fixed(5e-4) }),
  problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd' },
  training: { steps: 100 },
  method: { estimator: 'glocal' },
} as const;

let server: ScriptedServer | undefined;
let client: GlocalClient | undefined;

afterEach(() => {
  client?.close();
  server?.stop();
});

async function connectTo(script: Script, options = {}): Promise<GlocalClient> {
  server = await startScriptedServer(script);
  client = new GlocalClient({ address: server.address, retry: { initialBackoff: 10 }, ...options });
  return client;
}

const caught = (promise: Promise<unknown>): Promise<GlocalError> =>
  promise.then(
    () => expect.unreachable('the call succeeded'),
    (error) => error,
  );

describe('a server that is away for a moment', () => {
  const answers: Record<string, unknown> = {
    CreateStudy: study(),
    ValidateStudy: study(),
    GetStudy: study(),
    ListStudies: { studies: [study()], nextPageToken: '' },
    CancelStudy: study(StudyState.CANCELLED),
    PauseStudy: study(StudyState.PAUSED),
    ResumeStudy: study(),
    DeleteStudy: {},
    GetTrial: trial(),
    ListTrials: { trials: [trial()], nextPageToken: '' },
    GetOuterStep: outerStep(1),
    ReadOuterStep: { part: { $case: 'outerStep', value: outerStep(1) } },
    ListOuterSteps: { outerSteps: [outerStep(1)], nextPageToken: '' },
    ExportSchedule: { parameters: ['lr'], points: [], nextPageToken: '' },
    ListProblems: ListProblemsResponse.create(),
    ReanalyzeWindow: ReanalyzeWindowResponse.create(),
    GetArtifact: Artifact.create({ name: ARTIFACT }),
    ListArtifacts: { artifacts: [], nextPageToken: '' },
    DeleteArtifact: {},
    UploadArtifact: Artifact.create({ name: ARTIFACT }),
    GetServerInfo: { version: '1', backend: '', dmdAddress: '', limits: undefined },
  };
  const calls: Record<string, (client: GlocalClient) => Promise<unknown>> = {
    CreateStudy: ({ studies }) => studies.create(spec),
    ValidateStudy: ({ studies }) => studies.validate(spec),
    GetStudy: ({ studies }) => studies.get(STUDY),
    ListStudies: ({ studies }) => studies.list().next(),
    CancelStudy: async ({ studies }) => (await studies.get(STUDY)).cancel(),
    PauseStudy: async ({ studies }) => (await studies.get(STUDY)).pause(),
    ResumeStudy: async ({ studies }) => (await studies.get(STUDY)).resume(),
    DeleteStudy: async ({ studies }) => (await studies.get(STUDY)).delete(),
    GetTrial: async ({ studies }) => (await studies.get(STUDY)).trial(),
    ListTrials: async ({ studies }) => (await studies.get(STUDY)).trials().next(),
    // What the SDK falls back to where a server does not know the one below.
    GetOuterStep: async ({ studies }) => (await studies.get(STUDY)).outerStep(1),
    ReadOuterStep: async ({ studies }) => (await studies.get(STUDY)).outerStep(1),
    ListOuterSteps: async ({ studies }) => (await studies.get(STUDY)).outerSteps().next(),
    ExportSchedule: async ({ studies }) => (await studies.get(STUDY)).schedule(),
    ReanalyzeWindow: async ({ studies }) => (await studies.get(STUDY)).reanalyze(1),
    GetArtifact: ({ artifacts }) => artifacts.get(ARTIFACT),
    ListArtifacts: ({ artifacts }) => artifacts.list().next(),
    DeleteArtifact: ({ artifacts }) => artifacts.delete(ARTIFACT),
    UploadArtifact: ({ artifacts }) => artifacts.upload([{ path: 'model.json', content: Buffer.from('{}') }]),
    ListProblems: (client) => client.problems(),
    GetServerInfo: (client) => client.serverInfo(),
  };
  const contract = loadSync('glocal/v1/study_service.proto', {
    includeDirs: [fileURLToPath(new URL('../../proto', import.meta.url))],
  })['glocal.v1.StudyService'] as Record<
    string,
    { responseStream: boolean; options: { idempotency_level: string } }
  >;
  // They make their own connections again, and go on where they were.
  const OWN = ['WatchStudy', 'DriveTrial', 'ReportHypergradients'];
  const methods = Object.entries(contract).filter(([name]) => !OWN.includes(name));

  it('is known for every method of the contract', () => {
    expect(Object.keys(calls).sort()).toEqual(methods.map(([name]) => name).sort());
  });

  it.each(methods)(
    '%s is repeated just when the contract calls it idempotent',
    async (method, { options, responseStream }) => {
      const attempts: { request: unknown; requestId: unknown }[] = [];
      const script = Object.fromEntries(
        Object.entries(answers)
          .filter(([name]) => method !== 'GetOuterStep' || name !== 'ReadOuterStep')
          .map(([name, answer]) => [
            name[0]?.toLowerCase() + name.slice(1),
            (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) => {
              if (name !== method) return callback(null, answer);
              attempts.push({ request: call.request, requestId: call.metadata.get('x-request-id')[0] });
              const wait = serviceError({ code: status.UNAVAILABLE, message: 'wait' });
              if (responseStream) {
                const stream = call as unknown as ServerWritableStream<unknown, unknown>;
                if (attempts.length === 1) return stream.emit('error', wait);
                stream.write(answer);
                stream.end();
              } else if (attempts.length === 1) callback(wait);
              else callback(null, answer);
            },
          ]),
      );
      const call = calls[method]?.(await connectTo(script));
      if (options.idempotency_level === 'IDEMPOTENCY_UNKNOWN') {
        await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        expect(attempts).toHaveLength(1);
      } else {
        await call;
        expect(attempts).toHaveLength(2);
        // The same call to the server, above all with the same request_id of CreateStudy.
        expect(attempts[1]).toEqual(attempts[0]);
      }
    },
  );

  it('gets a new request_id with each creation, or the one that the caller chose', async () => {
    const ids: string[] = [];
    const { studies } = await connectTo({
      createStudy: ({ request }, callback) => {
        ids.push(request.requestId);
        callback(null, study());
      },
    });
    await studies.create(spec);
    await studies.create(spec);
    await studies.create(spec, { requestId: 'mine' });
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[1]).not.toBe(ids[0]);
    expect(ids[2]).toBe('mine');
  });

  it('is given up after maxAttempts', async () => {
    let attempts = 0;
    const client = await connectTo(
      {
        listProblems: (_call, callback) => {
          attempts += 1;
          callback(serviceError({ code: status.UNAVAILABLE, message: 'closed today', reason: 'CLOSED' }));
        },
      },
      { retry: { initialBackoff: 5, maxAttempts: 3 } },
    );
    expect(await caught(client.problems())).toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'CLOSED',
      message: 'closed today',
    });
    expect(attempts).toBe(3);
  });

  it('finds a server that is back within its time', async () => {
    const script: Script = { getStudy: (_call, callback) => callback(null, study()) };
    const { port, stop } = await startScriptedServer(script);
    stop();
    await using other = new GlocalClient({ address: `127.0.0.1:${port}`, timeout: 15_000 });
    const asked = other.studies.get(STUDY);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    server = await startScriptedServer(script, { port });
    expect((await asked).name).toBe(STUDY);
  });

  it('is not asked again with maxAttempts: 1', async () => {
    let attempts = 0;
    const client = await connectTo(
      {
        listProblems: (_call, callback) => {
          attempts += 1;
          callback(serviceError({ code: status.UNAVAILABLE, message: 'wait' }));
        },
      },
      { retry: { maxAttempts: 1 } },
    );
    expect(await caught(client.problems())).toMatchObject({ code: 'UNAVAILABLE' });
    expect(attempts).toBe(1);
  });
});

describe('a server that says when to come back', () => {
  /** Refuses `times` calls so, then answers. */
  function refusing(times: number, error: Parameters<typeof serviceError>[0]) {
    const attempts: number[] = [];
    const script: Script = {
      getStudy: (_call, callback) => {
        attempts.push(performance.now());
        if (attempts.length <= times) callback(serviceError(error));
        else callback(null, study());
      },
    };
    return { attempts, script };
  }
  const busy = { code: status.RESOURCE_EXHAUSTED, message: 'busy', reason: 'ACTIVE_STUDIES' };
  const away = { code: status.UNAVAILABLE, message: 'no disk', reason: 'STORE_UNAVAILABLE' };

  it.each([
    ['RESOURCE_EXHAUSTED', busy],
    ['UNAVAILABLE', away],
  ])('with %s is asked again then, and not before', async (_code, error) => {
    const { attempts, script } = refusing(2, { ...error, retryAfterMs: 250 });
    const log: LogEntry[] = [];
    const { studies } = await connectTo(script, { logger: (entry: LogEntry) => log.push(entry) });
    await studies.get(STUDY);
    const pauses = attempts.slice(1).map((time, i) => time - (attempts[i] ?? 0));
    expect(pauses).toHaveLength(2);
    for (const pause of pauses) expect(pause).toBeGreaterThan(245);
    expect(log.map(({ level, fields }) => ({ level, ...fields }))).toMatchObject([
      { level: 'debug', method: 'GetStudy', attempt: 2, reason: error.reason },
      { level: 'debug', method: 'GetStudy', attempt: 3, reason: error.reason },
    ]);
  });

  it('is not waited for beyond the end of the call', async () => {
    const { attempts, script } = refusing(9, { ...busy, retryAfterMs: 30_000 });
    const { studies } = await connectTo(script);
    const error = await caught(studies.get(STUDY, { timeout: 5_000 }));
    expect(error).toMatchObject({ reason: 'ACTIVE_STUDIES', retryDelay: 30_000, retryable: true });
    expect(attempts).toHaveLength(1);
  });

  it('is asked as often as maxAttempts says, and not that often for each of two policies', async () => {
    const { attempts, script } = refusing(99, { ...away, retryAfterMs: 5 });
    const { studies } = await connectTo(script, { retry: { maxAttempts: 4 } });
    expect(await caught(studies.get(STUDY))).toBeInstanceOf(UnavailableError);
    expect(attempts).toHaveLength(4);
  });

  it('and does not is not asked again when it has no room', async () => {
    const { attempts, script } = refusing(9, { ...busy, reason: 'STUDIES' });
    const { studies } = await connectTo(script);
    expect(await caught(studies.get(STUDY))).toMatchObject({ reason: 'STUDIES', retryable: false });
    expect(attempts).toHaveLength(1);
  });
});

describe('what goes along with a call', () => {
  it('is what the caller gives, in streams too, and the version of the SDK', async () => {
    const sent: Record<string, unknown>[] = [];
    const note = ({ metadata }: { readonly metadata: Metadata }) => {
      const [tenant, bytes, agent] = ['x-tenant', 'trace-bin', 'user-agent'].map(
        (key) => metadata.get(key)[0],
      );
      sent.push({ tenant, bytes: Buffer.from(bytes ?? '').toString(), agent });
    };
    const { studies } = await connectTo({
      getStudy: (call, callback) => {
        note(call);
        callback(null, study(StudyState.COMPLETED));
      },
      listTrials: (call, callback) => {
        note(call);
        callback(null, { trials: [trial()], nextPageToken: '' });
      },
      exportSchedule: (call, callback) => {
        note(call);
        callback(null, { parameters: ['lr'], points: [], nextPageToken: '' });
      },
      watchStudy: (call) => {
        note(call);
        call.end();
      },
      driveTrial: (call) => {
        note(call);
        call.end();
      },
      reportHypergradients: (call) => {
        note(call);
        call.write({ response: { $case: 'ended', value: trial() } });
        call.end();
      },
    });
    const metadata = { 'x-tenant': '42', 'trace-bin': Buffer.from('bytes') };
    const found = await studies.get(STUDY, { metadata });
    await found.result({ metadata });
    for await (const _window of found.drive({ metadata })) expect.unreachable('there is none');
    await found.report({ metadata });
    expect(sent).toHaveLength(8);
    const agent = expect.stringMatching(/^glocal-sdk\/\d+\.\d+\.\d+ grpc-node-js\//);
    expect(sent).toEqual(sent.map(() => ({ tenant: '42', bytes: 'bytes', agent })));
  });
});

describe('an error of the server', () => {
  it('arrives with code, reason, violations, delay and request id', async () => {
    const { studies } = await connectTo({
      getStudy: (_call, callback) =>
        callback(
          serviceError({
            code: status.RESOURCE_EXHAUSTED,
            message: 'too many',
            reason: 'ACTIVE_STUDIES',
            requestId: '01J9',
            retryAfterMs: 1_500,
          }),
        ),
    });
    const error = await caught(studies.get(STUDY));
    expect(error).toBeInstanceOf(GlocalError);
    expect(error).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'ACTIVE_STUDIES',
      message: 'too many',
      requestId: '01J9',
      retryDelay: 1_500,
      fieldViolations: [],
      cause: { code: status.RESOURCE_EXHAUSTED },
    });
    expect(error.stack).toContain('calls.test.ts');
  });

  it('names the fields of a specification as the caller wrote them', async () => {
    const refuse = (_call: unknown, callback: sendUnaryData<never>) =>
      callback(
        serviceError({
          code: status.INVALID_ARGUMENT,
          message: 'study.space.lr.initial: 2 is above max (1)',
          reason: 'STUDY',
          requestId: '01J9',
          violations: [
            { field: 'study.space.lr.initial', description: '2 is above max (1)' },
            { field: 'study.method.dmd.svd_rank', description: '-7 is no rank' },
          ],
        }),
      );
    const { studies } = await connectTo({ createStudy: refuse, validateStudy: refuse });
    const printed = [
      'GlocalError INVALID_ARGUMENT (STUDY) request 01J9',
      '  space.lr.init: 2 is above max (1)',
      '  method.dmd.svdRank: -7 is no rank',
    ].join('\n');
    for (const error of [await caught(studies.create(spec)), await caught(studies.validate(spec))]) {
      expect(String(error)).toBe(printed);
      expect(error.message).toBe('space.lr.init: 2 is above max (1); method.dmd.svdRank: -7 is no rank');
      expect(error.stack).toContain('calls.test.ts');
    }
  });

  it('arrives without details of ours, with the id that was sent', async () => {
    let sent: unknown;
    const { studies } = await connectTo({
      getStudy: (call, callback) => {
        sent = call.metadata.get('x-request-id')[0];
        callback({ code: status.PERMISSION_DENIED, details: 'not you' });
      },
    });
    const error = await caught(studies.get(STUDY));
    expect(error).toMatchObject({ code: 'PERMISSION_DENIED', reason: undefined, message: 'not you' });
    expect(error.requestId).toBe(sent);
  });

  it('keeps details that only newer versions know', async () => {
    const { studies } = await connectTo({
      getStudy: (_call, callback) => {
        const value = Buffer.from([1, 2, 3]);
        const details = [{ typeUrl: 'type.googleapis.com/google.rpc.NotYetThought', value }];
        const metadata = new Metadata();
        const encoded = Status.encode({ code: status.INTERNAL, message: 'new', details }).finish();
        metadata.set('grpc-status-details-bin', Buffer.from(encoded));
        callback({ code: status.INTERNAL, details: 'new', metadata });
      },
    });
    const error = await caught(studies.get(STUDY));
    expect(error.details).toEqual([{ type: 'google.rpc.NotYetThought', value: Buffer.from([1, 2, 3]) }]);
  });

  it('says so when the server does not know the method', async () => {
    const { studies } = await connectTo({});
    expect(await caught(studies.get(STUDY))).toMatchObject({
      code: 'UNIMPLEMENTED',
      message: expect.stringContaining('does not know GetStudy'),
    });
  });
});

describe('a slow server', () => {
  const slow: Script = { getStudy: () => {} };

  it('is waited for until the deadline of the client, or of the call', async () => {
    const { studies } = await connectTo(slow, { timeout: 200 });
    expect(await caught(studies.get(STUDY))).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: `GetStudy got no answer from ${server?.address} within 200 ms`,
    });
    expect(await caught(studies.get(STUDY, { timeout: 100 }))).toMatchObject({
      message: expect.stringContaining('within 100 ms'),
    });
  });

  it('may take its time with a stream, unless the caller says how long', async () => {
    const open: Script = {
      getStudy: (_call, callback) => callback(null, study()),
      listTrials: (_call, callback) => callback(null, { trials: [trial()], nextPageToken: '' }),
      watchStudy: () => {},
      driveTrial: () => {},
      reportHypergradients: () => {},
    };
    const { studies } = await connectTo(open);
    const found = await studies.get(STUDY);
    const timeout = 300;
    const began = performance.now();
    const errors = await Promise.all([
      caught(found.watch({ timeout }).next()),
      caught(found.drive({ timeout }).next()),
      caught(found.report({ timeout })),
      caught(found.result({ timeout })),
    ]);
    expect(performance.now() - began).toBeGreaterThan(290);
    for (const error of errors) {
      expect(error).toBeInstanceOf(DeadlineExceededError);
      expect(error.message).toContain('within 300 ms');
    }
  });

  it('is told when the caller no longer waits', async () => {
    const abort = new AbortController();
    const cancelled = Promise.withResolvers<void>();
    const { studies } = await connectTo({
      getStudy: (call) => {
        call.on('cancelled', cancelled.resolve);
        abort.abort();
      },
    });
    const error = await caught(studies.get(STUDY, { signal: abort.signal }));
    expect(error).toMatchObject({ code: 'CANCELLED', cause: { name: 'AbortError' } });
    await cancelled.promise;
  });

  it('is not asked at all when the signal is aborted before', async () => {
    let asked = false;
    const { studies } = await connectTo({
      getStudy: () => {
        asked = true;
      },
    });
    const signal = AbortSignal.abort(new Error('never mind'));
    expect(await caught(studies.get(STUDY, { signal }))).toMatchObject({
      code: 'CANCELLED',
      message: 'aborted: never mind',
    });
    expect(asked).toBe(false);
  });

  it('no longer matters when the client is closed', async () => {
    const client = await connectTo(slow);
    const pending = caught(client.studies.get(STUDY));
    client.close();
    expect(await pending).toMatchObject({ code: 'CANCELLED', reason: 'CLIENT_CLOSED' });
    expect(await caught(client.studies.get(STUDY))).toMatchObject({ reason: 'CLIENT_CLOSED' });
  });
});

it('a trial that the study lacks is NOT_FOUND', async () => {
  const { studies } = await connectTo({
    getStudy: (_call, callback) => callback(null, study()),
    listTrials: (_call, callback) => callback(null, { trials: [trial(0), trial(1)], nextPageToken: '' }),
    getTrial: ({ request }, callback) => callback(null, trial(0, { name: request.name })),
  });
  const found = await studies.get(STUDY);
  expect((await found.trial({ trial: 1 })).name).toBe(`${STUDY}/trials/1`);
  expect((await found.trial({ trial: TRIAL })).name).toBe(TRIAL);
  expect(await caught(found.trial({ trial: 2 }))).toMatchObject({ code: 'NOT_FOUND' });
});
