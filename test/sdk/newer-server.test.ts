/** A server of a newer minor version: it says what this SDK does not know, and is understood in all that it does. */

import { Method, type Parameter, RunMode, Study } from '@glocal/proto/glocal/v1/study';
import { CreateStudyRequest, ServerInfo } from '@glocal/proto/glocal/v1/study_service';
import { unknownFields } from '@glocal/proto/unknown-fields';
import { GlocalClient, InvalidArgumentError, specFromJson, specToJson } from '@glocal/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { type Http2Server, type RawCall, startHttp2Server } from './support/http2-server.ts';
import { STUDY, study } from './support/messages.ts';

/** Field 1000, a text, which no message has. */
const UNHEARD = Buffer.from([0xc2, 0x3e, 0x03, 0x6e, 0x65, 0x77]);
const ESTIMATOR_OF_TOMORROW = 99;

let server: Http2Server;
let client: GlocalClient;
let created: number;
let found: Study;
/** The last study that was sent. */
let sent: Promise<Study | undefined>;
beforeEach(async () => {
  created = 0;
  const method = Method.create({ ...study().method, estimator: ESTIMATOR_OF_TOMORROW as never, window: 50 });
  found = { ...study(), method, state: 99 as never };
  server = await startHttp2Server((call) => {
    if (call.method === 'CreateStudy') {
      created += 1;
      sent = readRequest(call.stream);
    }
    const message =
      call.method === 'GetServerInfo'
        ? ServerInfo.encode(ServerInfo.create({ version: '0.99.0', backend: 'new' }))
        : Study.encode(found);
    call.begin();
    call.send(Buffer.concat([message.finish(), UNHEARD]));
    call.end();
  });
  client = await GlocalClient.connect({ address: server.address });
});
afterEach(() => {
  client.close();
  server.close();
});

/** The study in the first message of a call. */
function readRequest(stream: RawCall['stream']): Promise<Study | undefined> {
  let bytes = Buffer.alloc(0);
  return new Promise((resolve) => {
    stream.on('data', (part: Buffer) => {
      bytes = Buffer.concat([bytes, part]);
      if (bytes.length < 5 || bytes.length < 5 + bytes.readUInt32BE(1)) return;
      resolve(CreateStudyRequest.decode(bytes.subarray(5)).study);
    });
  });
}

/** A message with a field that this version does not know, another one in each. */
const withNews = <Message extends object>(message: Message, text: string): Message => ({
  ...message,
  [unknownFields]: { [(1000 << 3) | 2]: [Buffer.from([text.length, ...Buffer.from(text)])] },
});

/** A study that is full of them, and has a parameter of a kind that this version does not know, with a child. */
function newsOfTomorrow(): Study {
  const of = (name: string, kind: NonNullable<Parameter['kind']>): Parameter =>
    withNews(
      { name, kind: { ...kind, value: withNews(kind.value, `${name} kind`) } as never, condition: undefined },
      name,
    );
  const { space, problem, training, method, sampling, ...rest } = Study.fromPartial({
    ...study(),
    mode: RunMode.MANAGED,
    problem: {
      dataset: 'd',
      model: 'm',
      optimizer: 'o',
      batchSize: 8,
      validationExamples: 8,
      imbalanceFactor: 1,
    },
    training: { steps: 100 },
    method: {
      estimator: 5,
      evaluation: 1,
      differentiation: 1,
      window: 50,
      interval: 50,
      stride: 1,
      reverseSteps: 1,
      sigma: 10,
      averaging: 0,
      dmdAbsence: 1,
    },
    sampling: { method: 1 },
  });
  const outer = {
    rate: 0.1,
    beta1: 0.9,
    beta2: 0.9,
    epsilon: 1e-8,
    schedule: 1,
    maxLossRise: 0,
    normalize: false,
  };
  const dmd = {
    variant: 1,
    delays: 1,
    svdRank: 1,
    tolerance: 1,
    clip: 0.5,
    ridge: 0,
    scaling: 1,
    selection: 1,
    anchor: 1,
  };
  const tomorrow = withNews({ name: 'of-tomorrow', kind: undefined, condition: undefined }, 'a new kind');
  return withNews(
    Study.fromPartial({
      ...rest,
      space: withNews(
        {
          parameters: [
            of('lr', {
              $case: 'float',
              value: { min: 0, max: 1, initial: 0.1, scale: 1, grouping: 1, initials: [], size: 0 },
            }),
            of('momentum', { $case: 'fixed', value: { value: 0.9, values: [], grouping: 1 } }),
            of('optimizer', { $case: 'categorical', value: { values: ['sgd', 'adam'] } }),
            of('layers', { $case: 'int', value: { min: 1, max: 3, step: 1 } }),
            of('nesterov', { $case: 'bool', value: {} }),
            tomorrow,
            {
              ...of('rho', { $case: 'discrete', value: { values: [1, 2] } }),
              condition: { parameter: 'of-tomorrow', values: ['x'] },
            },
          ],
        },
        'space',
      ),
      problem: withNews(
        { ...problem, augmentation: withNews({ cropPadding: 1, horizontalFlip: false }, 'augmentation') },
        'problem',
      ),
      training: withNews({ ...training }, 'training'),
      method: withNews(
        { ...method, outer: withNews(outer, 'outer'), dmd: withNews(dmd, 'dmd') },
        'method',
      ) as never,
      sampling: withNews({ ...sampling }, 'sampling'),
    } as never),
    'study',
  );
}

/** What of a message is new, by the path to it. */
function newsIn(message: unknown, path = ''): Record<string, string> {
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) return {};
  const fields = Object.values((message as never)[unknownFields] ?? {}).flat() as Uint8Array[];
  const texts = fields.map((bytes) => Buffer.from(bytes.subarray(1)).toString());
  const own = texts.length > 0 ? [[path, texts.join(', ')]] : [];
  const inner = Object.entries(message).flatMap(([key, part]) =>
    Object.entries(newsIn(part, `${path}.${(part as { name?: string } | null)?.name ?? key}`)),
  );
  return Object.fromEntries([...own, ...inner]);
}

describe('a newer server', () => {
  it('has what it says beyond this version again, in a study that is made as another was', async () => {
    found = newsOfTomorrow();
    const { labels: _labels, ...first } = await client.studies.get(STUDY);
    await client.studies.create({ ...first, displayName: 'again' });
    const again = await sent;
    const news = newsIn(found);
    expect(Object.keys(news)).toHaveLength(22);
    // The server adds a field to all that it sends.
    expect(newsIn(again)).toEqual({ ...news, '': 'study, new' });
    expect(again?.displayName).toBe('again');
    expect(again?.space?.parameters.slice(-2)).toEqual(found.space?.parameters.slice(-2));
  });

  it('says it to nobody who looks at the study', async () => {
    found = newsOfTomorrow();
    const first = await client.studies.get(STUDY);
    expect(Object.keys(first.space.parameters)).toEqual([
      'lr',
      'momentum',
      'optimizer',
      'layers',
      'nesterov',
    ]);
    expect(JSON.stringify(first)).not.toMatch(/unknown/i);
    const json = specToJson(first);
    expect(newsIn(specFromJson(json))).toEqual({});
    expect(JSON.stringify(json)).not.toContain('tomorrow');
  });

  it('is taken, and what it says beyond this version is passed over', async () => {
    expect(await client.serverInfo()).toMatchObject({ version: '0.99.0', backend: 'new' });
    const found = await client.studies.get(STUDY);
    expect(found).toMatchObject({ name: STUDY, displayName: 'a test', method: { window: 50 } });
  });

  it('may have states and estimators that arrive as unknown, and are not taken for others', async () => {
    const found = await client.studies.get(STUDY);
    expect(found).toMatchObject({ state: 'UNKNOWN', ended: false, method: { estimator: 'unknown' } });
    const again = { ...found, mode: 'managed', training: { steps: 100 } } as const;
    const error = await rejection(client.studies.create(again));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.fieldViolations.map(({ field }) => field)).toContain('method.estimator');
    expect(created).toBe(0);
  });
});
