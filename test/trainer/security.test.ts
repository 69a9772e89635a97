/**
 * A trainer behind mutual TLS that asks who its callers are, as a client sees it that has nothing but grpc-js, the .proto
 * files, a certificate and a token.
 */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { GlocalClient, type LogEntry } from '@glocal/sdk';
import { type ServiceError, status } from '@grpc/grpc-js';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Certificate, certificate } from '../support/certificates.ts';
import {
  contract,
  health,
  methodIn,
  Reflection,
  type ReflectionError,
  serviceIn,
} from '../support/dynamic.ts';
import type { Channel } from '../support/grpc.ts';
import { refusal } from '../support/refusal.ts';
import { rejection } from '../support/rejection.ts';
import { SERVER_NAME, SecureTrainer, SecurityFiles } from '../support/security.ts';
import { quickStudy } from '../support/studies.ts';
import { temporaryFolder } from '../support/trainer.ts';
import { CATS } from '../support/upload.ts';

const SERVICE = serviceIn(contract, 'glocal.v1.StudyService');
const method = (name: string) => methodIn(SERVICE, name);
/** Files are looked at every two seconds; a busy machine may take its time. */
const SOON = { timeout: 30_000, interval: 200 };

/** Trains for hours unless somebody cancels it. */
const STUDY = {
  space: { parameters: [{ name: 'lr', float: { min: 0.001, max: 1, initial: 0.02 } }] },
  problem: { dataset: 'fashion-mnist-10k', model: 'logistic', optimizer: 'sgd', validation_examples: 100 },
  training: { steps: 5_000_000 },
  method: { estimator: 'ESTIMATOR_FIXED', window: 1_000 },
};

interface Study {
  readonly name: string;
  readonly owner: string;
  readonly state: string;
}

const always = new AsyncDisposableStack();
let files: SecurityFiles;
let trainer: SecureTrainer;
let client: Certificate;
const tokens = { ada: '', reader: '', bob: '', root: '', expired: '' };

beforeAll(async () => {
  files = await SecurityFiles.make(always.use(await temporaryFolder()).path);
  client = await certificate('client.test', files.authority);
  tokens.ada = await files.token('ada');
  tokens.reader = await files.token('ada', '--role', 'read', '--days', '1');
  tokens.bob = await files.token('bob');
  tokens.root = await files.token('root', '--role', 'admin');
  tokens.expired = await files.token('eve', '--days', '0.000001');
  const audit = ['--audit-log', files.path('audit.log'), '--max-owner-active-studies', '2'];
  trainer = always.use(
    await SecureTrainer.start(files, [...files.tls({ mutual: true }), ...files.tokens(), ...audit]),
  );
});
afterAll(() => always.disposeAsync());

let cleanUp: DisposableStack;
beforeEach(() => {
  cleanUp = new DisposableStack();
});
afterEach(() => cleanUp.dispose());

const as = (token: string | undefined): Channel => cleanUp.use(trainer.connect(token, files.channel(client)));
const create = (caller: Channel, request_id = '') =>
  caller.unary(method('CreateStudy'), { study: STUDY, request_id }) as Promise<Study>;
const cancel = (caller: Channel, { name }: Study) =>
  caller.unary(method('CancelStudy'), { name }) as Promise<Study>;
const list = async (caller: Channel): Promise<string[]> => {
  const { studies } = (await caller.unary(method('ListStudies'), {})) as {
    readonly studies: readonly Study[];
  };
  return studies.map(({ name }) => name);
};
const info = (caller: Channel) => caller.unary(method('GetServerInfo'), {});

describe('a caller with a certificate and a token', () => {
  it('creates, watches, lists, pauses, resumes, cancels and deletes what is theirs', async () => {
    const ada = as(tokens.ada);
    const study = await create(ada);
    expect(study).toMatchObject({ owner: 'ada', state: 'STUDY_STATE_ACTIVE' });
    for await (const event of ada.open(method('WatchStudy'), { name: study.name })) {
      expect(event).toMatchObject({ event: 'study', study: { name: study.name, owner: 'ada' } });
      break;
    }
    expect(await list(ada)).toEqual([study.name]);
    const { name } = study;
    expect(await ada.unary(method('PauseStudy'), { name })).toMatchObject({ name });
    expect(await ada.unary(method('ResumeStudy'), { name })).toMatchObject({ state: 'STUDY_STATE_ACTIVE' });
    expect(await cancel(ada, study)).toMatchObject({ state: 'STUDY_STATE_CANCELLED' });
    for (const time of ['first', 'second']) {
      expect(await ada.unary(method('DeleteStudy'), { name }), time).toEqual({});
    }
    expect(await list(ada)).toEqual([]);
    const gone = await refusal(as(tokens.bob).unary(method('DeleteStudy'), { name }));
    expect(gone.code).toBe(status.NOT_FOUND);
  });

  it('goes on with no page token of somebody else', async () => {
    const ada = as(tokens.ada);
    const studies = [await create(ada), await create(ada)];
    const page = (caller: Channel, page_token = '') =>
      caller.unary(method('ListStudies'), { page_size: 1, page_token }) as Promise<{
        next_page_token: string;
      }>;
    const { next_page_token } = await page(ada);
    await page(ada, next_page_token);
    const { code, message } = await refusal(page(as(tokens.bob), next_page_token));
    expect({ code, message }).toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringContaining('was not given out for this list'),
    });
    for (const study of studies) {
      await cancel(ada, study);
      await ada.unary(method('DeleteStudy'), { name: study.name });
    }
  });

  it('drives what is theirs', async () => {
    const ada = as(tokens.ada);
    const driven = {
      ...STUDY,
      mode: 'RUN_MODE_DRIVEN',
      method: { estimator: 'ESTIMATOR_LOCAL', window: 100 },
    };
    const study = (await ada.unary(method('CreateStudy'), { study: driven })) as Study;
    using drive = ada.converse<object, object>(method('DriveTrial'));
    drive.send({ start: { trial: `${study.name}/trials/0` } });
    expect(await drive.next()).toMatchObject({ response: 'attached' });
    expect(await drive.next()).toMatchObject({
      response: 'proposal',
      proposal: { outer_step: { index: 1 } },
    });
    drive.send({ decision: { outer_step: 1, stop: { reason: 'enough' } } });
    expect(await drive.next()).toMatchObject({ outer_step: { index: 1 } });
    expect(await drive.next()).toMatchObject({ ended: { state: 'TRIAL_STATE_SUCCEEDED' } });
  });

  it('may use the SDK', async () => {
    const { cert, key } = client;
    const tls = { ca: files.authority.cert, cert, key, serverName: SERVER_NAME };
    await using sdk = await GlocalClient.connect({ address: trainer.address, tls, token: tokens.reader });
    expect((await sdk.serverInfo()).caller).toMatchObject({ owner: 'ada' });
    await expect(sdk.studies.get('studies/none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is told who they are', async () => {
    expect(await info(as(tokens.reader))).toMatchObject({ caller: { owner: 'ada', role: 'ROLE_READ' } });
    expect(await info(as(tokens.root))).toMatchObject({ caller: { owner: 'root', role: 'ROLE_ADMIN' } });
  });

  it('has request ids and a number of active studies that are theirs alone', async () => {
    const [ada, bob] = [as(tokens.ada), as(tokens.bob)];
    const first = await create(ada, 'same');
    const second = await create(bob, 'same');
    expect(second.name).not.toBe(first.name);
    const third = await create(ada);
    expect(await refusal(create(ada))).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: 'OWNER_ACTIVE_STUDIES',
    });
    await Promise.all([cancel(ada, first), cancel(bob, second), cancel(ada, third)]);
  });
});

describe('a caller without', () => {
  it.each([
    ['a certificate', () => files.channel()],
    ['a certificate of our authority', (stranger: Certificate) => files.channel(stranger)],
  ])('%s is not even heard', async (_, channel) => {
    const caller = cleanUp.use(trainer.connect(tokens.ada, channel(await certificate('client.test'))));
    expect((await rejection<ServiceError>(info(caller))).code).toBe(status.UNAVAILABLE);
  });

  it.each([
    ['a token', undefined, 'NO_TOKEN'],
    ['a token that is known', 'glocal_of-somebody-else', 'UNKNOWN_TOKEN'],
    ['a token that is still good', 'expired', 'EXPIRED_TOKEN'],
  ] as const)('%s is UNAUTHENTICATED whatever they ask', async (_, given, reason) => {
    const token = given === 'expired' ? tokens.expired : given;
    const caller = as(token);
    for (const [name, request] of [
      ['GetServerInfo', {}],
      ['CreateStudy', { study: STUDY }],
      ['GetStudy', { name: 'studies/none' }],
    ] as const) {
      const error = await refusal(caller.unary(method(name), request));
      expect(error).toMatchObject({ code: status.UNAUTHENTICATED, reason });
      if (token !== undefined) expect(error.message).not.toContain(token);
    }
    const watch = await rejection<ServiceError>(
      caller.serverStream(method('WatchStudy'), { name: 'studies/none' }),
    );
    expect(watch.code).toBe(status.UNAUTHENTICATED);
  });

  it('a token gets no reflection and no watch of the health, but may check it', async () => {
    const nobody = as(undefined);
    const reflected = rejection<ReflectionError>(new Reflection(nobody, 'v1').services());
    expect((await reflected).code).toBe(status.UNAUTHENTICATED);
    const watched = rejection<ServiceError>(nobody.serverStream(methodIn(health, 'Watch'), { service: '' }));
    expect((await watched).code).toBe(status.UNAUTHENTICATED);
    expect(await nobody.unary(methodIn(health, 'Check'), { service: '' })).toMatchObject({
      status: 'SERVING',
    });
    expect(await new Reflection(as(tokens.reader), 'v1').services()).toContain('glocal.v1.StudyService');
  });

  it('the role for it changes nothing, and is told which one it takes', async () => {
    const reader = as(tokens.reader);
    expect(await refusal(create(reader))).toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'ROLE',
      message: 'CreateStudy needs the role write; the caller has the role read',
    });
    expect(await reader.unary(method('ValidateStudy'), { study: STUDY })).toMatchObject({ owner: '' });
  });
});

describe('what belongs to somebody', () => {
  let ada: Channel;
  let study: Study;
  beforeEach(async () => {
    ada = as(tokens.ada);
    study = await create(ada);
  });
  afterEach(() => cancel(ada, study));

  it('is not there for others, whatever method they try', async () => {
    const bob = as(tokens.bob);
    for (const name of Object.keys(SERVICE)) {
      const outcome = await outcomeOf(bob, name, study.name);
      expect(['NOT_FOUND', undefined], name).toContain(outcome);
    }
    expect(await list(bob)).not.toContain(study.name);
    const page = await ada.unary(method('ListStudies'), { page_size: 1 });
    const page_token = (page as { readonly next_page_token: string }).next_page_token;
    await ada.unary(method('ListStudies'), { page_token });
    const stolen = await refusal(bob.unary(method('ListStudies'), { page_token }));
    expect(stolen.code).toBe(status.INVALID_ARGUMENT);
    expect(await ada.unary(method('GetStudy'), { name: study.name })).toMatchObject({
      state: 'STUDY_STATE_ACTIVE',
    });
  });

  it('is not there for others either once it has been deleted', async () => {
    const bob = as(tokens.bob);
    const request = { name: study.name, force: true };
    await ada.unary(method('DeleteStudy'), request);
    expect((await refusal(bob.unary(method('DeleteStudy'), request))).code).toBe(status.NOT_FOUND);
    expect(await ada.unary(method('DeleteStudy'), request)).toEqual({});
    study = await create(ada);
  });

  it('may be an artifact, before and after it has been deleted', async () => {
    const bob = as(tokens.bob);
    const upload = method('UploadArtifact') as never;
    const { name } = await ada.clientStream<object, { readonly name: string }>(upload, CATS);
    const tried = async () =>
      Promise.all(
        ['GetArtifact', 'DeleteArtifact'].map(
          async (which) => (await refusal(bob.unary(method(which), { name }))).code,
        ),
      );
    expect(await tried()).toEqual([status.NOT_FOUND, status.NOT_FOUND]);
    expect(await ada.unary(method('GetArtifact'), { name })).toMatchObject({ owner: 'ada' });
    await ada.unary(method('DeleteArtifact'), { name });
    expect(await tried()).toEqual([status.NOT_FOUND, status.NOT_FOUND]);
    expect(await ada.unary(method('DeleteArtifact'), { name })).toEqual({});
  });

  it('is there for admins', async () => {
    const root = as(tokens.root);
    expect(await list(root)).toContain(study.name);
    expect(await cancel(root, study)).toMatchObject({ owner: 'ada', state: 'STUDY_STATE_CANCELLED' });
  });
});

/** What comes of a call that is about this study; undefined for methods that are about nothing in particular. */
async function outcomeOf(caller: Channel, name: string, study: string): Promise<string | undefined> {
  const request = requestFor(name, study);
  if (request === undefined) return undefined;
  const definition = method(name);
  const { requestStream, responseStream } = definition;
  const call: Promise<unknown> = requestStream
    ? caller.bidi(definition, [request])
    : responseStream
      ? caller.serverStream(definition, request)
      : caller.unary(definition, request);
  return call.then(
    () => 'OK',
    (error: ServiceError) => status[error.code],
  );
}

/** A request about a study or about what belongs to it; undefined for methods that are about nothing in particular. */
function requestFor(name: string, study: string): object | undefined {
  const trial = `${study}/trials/0`;
  const step = `${trial}/outerSteps/1`;
  const requests: Record<string, object | undefined> = {
    ...{ CreateStudy: undefined, ValidateStudy: undefined, ListStudies: undefined },
    ...{ ListProblems: undefined, GetServerInfo: undefined },
    ...{ GetTrial: { name: trial }, ListTrials: { parent: study }, ListOuterSteps: { parent: trial } },
    ...{ GetOuterStep: { name: step }, ReadOuterStep: { name: step }, ReanalyzeWindow: { name: step } },
    ExportSchedule: { name: trial },
    ...{ DriveTrial: { start: { trial } }, ReportHypergradients: { start: { trial } } },
    ...{
      UploadArtifact: undefined,
      ListArtifacts: undefined,
      GetArtifact: undefined,
      DeleteArtifact: undefined,
    },
  };
  return name in requests ? requests[name] : { name: study };
}

describe('while it runs', () => {
  it('a token that is added is taken, and one that is taken away ends its streams', async () => {
    const token = await files.token('carl');
    const carl = as(token);
    await vi.waitFor(() => info(carl), SOON);
    const watch = carl.serverStream(methodIn(health, 'Watch'), { service: '' });
    const ended = rejection<ServiceError>(watch);
    const kept = (await readFile(files.path('tokens'), 'utf8'))
      .split('\n')
      .filter((line) => !line.includes(' carl '));
    await files.write('tokens', kept.join('\n'));
    expect((await ended).code).toBe(status.UNAUTHENTICATED);
    expect(await refusal(info(carl))).toMatchObject({ reason: 'UNKNOWN_TOKEN' });
  });

  it('a file of tokens that cannot be read is left aside, and said so once', async () => {
    const before = await readFile(files.path('tokens'), 'utf8');
    await files.write('tokens', `${before}\nnonsense\n`);
    const said = () =>
      trainer.log.filter((line) => line.includes('line ') && line.includes('GLOCAL_TOKEN_FILE'));
    await vi.waitFor(() => expect(said()).toHaveLength(1), SOON);
    await info(as(tokens.ada));
    await sleep(2_500);
    expect(said()).toHaveLength(1);
    expect(said().join()).not.toContain('nonsense');
    await files.write('tokens', before);
  });

  it('a certificate that is replaced is used for new connections, and old ones go on', async () => {
    const old = as(tokens.ada);
    await info(old);
    const later = await certificate('later.test', files.authority);
    await files.serve(later);
    await vi.waitFor(async () => {
      const error = await rejection<ServiceError>(info(as(tokens.ada)));
      expect(error.details).toContain('later.test');
    }, SOON);
    await info(old);
    await files.serve(await certificate(SERVER_NAME, files.authority));
    await vi.waitFor(() => info(as(tokens.ada)), SOON);
  });
});

it('records changes and attempts at them, a line each', async () => {
  const study = await create(as(tokens.bob));
  await cancel(as(tokens.bob), study);
  await rejection<ServiceError>(cancel(as(tokens.ada), study));
  await rejection<ServiceError>(create(as(tokens.reader)));
  await rejection<ServiceError>(create(as(undefined)));
  await info(as(tokens.bob));
  const lines = (await readFile(files.path('audit.log'), 'utf8')).trim().split('\n');
  const records = lines.map((line) => JSON.parse(line)).slice(-5);
  const path = (name: string) => method(name).path;
  const about = {
    audit: true,
    requestId: expect.any(String),
    peer: expect.any(String),
    time: expect.any(String),
  };
  expect(records).toMatchObject([
    { ...about, owner: 'bob', role: 'write', method: path('CreateStudy'), resource: study.name, code: 'OK' },
    { ...about, owner: 'bob', role: 'write', method: path('CancelStudy'), resource: study.name, code: 'OK' },
    { owner: 'ada', method: path('CancelStudy'), resource: study.name, code: 'NOT_FOUND' },
    { owner: 'ada', role: 'read', method: path('CreateStudy'), resource: '', code: 'PERMISSION_DENIED' },
    { owner: '', role: 'none', method: path('CreateStudy'), code: 'UNAUTHENTICATED' },
  ]);
});

it('says no token anywhere', async () => {
  for (const token of Object.values(tokens)) await info(as(token)).catch(() => {});
  const said = [...trainer.log, await readFile(files.path('audit.log'), 'utf8')].join('\n');
  expect(said).toContain('GetServerInfo');
  for (const token of Object.values(tokens)) expect(said).not.toContain(token);
});

describe('a trainer that knows callers by certificates and JSON Web Tokens', () => {
  const ISSUER = 'https://issuer.test';
  let other: SecureTrainer;
  let key: CryptoKey;
  beforeAll(async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    key = privateKey;
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }];
    await files.write('keys.json', JSON.stringify({ keys }));
    const trusted = [
      '--jwt-issuer',
      ISSUER,
      '--jwt-audience',
      'glocal',
      '--jwt-keys',
      files.path('keys.json'),
    ];
    const jwt = [...trusted, '--jwt-clock-tolerance', '0'];
    const certificates = ['--tls-client-role', 'read'];
    other = always.use(
      await SecureTrainer.start(files, [...files.tls({ mutual: true }), ...certificates, ...jwt]),
    );
  });

  const callerOf = async (token?: string) => {
    const caller = cleanUp.use(other.connect(token, files.channel(client)));
    return ((await info(caller)) as { readonly caller: object }).caller;
  };
  const sign = (expires: string) =>
    new SignJWT({ sub: 'grace' })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(ISSUER)
      .setAudience('glocal')
      .setExpirationTime(expires)
      .sign(key);

  it('takes the common name of a certificate for the owner where there is no token', async () => {
    expect(await callerOf()).toEqual({ owner: 'client.test', role: 'ROLE_READ' });
  });

  it('takes the subject of a token that its issuer has signed', async () => {
    expect(await callerOf(await sign('1 minute'))).toEqual({ owner: 'grace', role: 'ROLE_WRITE' });
    expect(await refusal(callerOf(await sign('1 hour ago')))).toMatchObject({ reason: 'EXPIRED_TOKEN' });
    const forged = (await sign('1 minute')).replace(/.{8}$/, 'AAAAAAAA');
    expect(await refusal(callerOf(forged))).toMatchObject({ reason: 'INVALID_TOKEN' });
    expect(other.log.join('\n')).not.toContain(forged);
  });

  it('lets the SDK go on with watching and driving when tokens expire in the middle of it', async () => {
    const { cert, key } = client;
    const shown: string[] = [];
    const log: LogEntry[] = [];
    await using sdk = await GlocalClient.connect({
      ...{ address: other.address, tls: { ca: files.authority.cert, cert, key, serverName: SERVER_NAME } },
      token: async () => {
        const token = await sign('3 seconds');
        shown.push(token);
        return { token, expiresAt: new Date(Date.now() + 3_000) };
      },
      logger: (entry) => log.push(entry),
    });
    const study = await sdk.studies.create({
      ...quickStudy({ estimator: 'fixed', outerSteps: 2 }),
      mode: 'driven',
    });
    const indices: number[] = [];
    for await (const window of study.drive()) {
      indices.push(window.index);
      // Longer than a token is good, so that the stream ends while the window is open.
      if (window.index === 1) await sleep(6_000);
      await window.accept();
    }
    expect(indices).toEqual([1, 2]);
    const seen = (await Array.fromAsync(study.watch())).flatMap((event) =>
      event.type === 'outerStep' ? event.index : [],
    );
    expect(seen).toEqual([1, 2]);
    expect(log.filter(({ fields }) => fields.reason === 'EXPIRED_TOKEN').length).toBeGreaterThan(0);
    expect(shown.length).toBeGreaterThan(2);
    const said = [...other.log, JSON.stringify(log)].join('\n');
    for (const token of shown) expect(said).not.toContain(token);
  }, 120_000);
});
