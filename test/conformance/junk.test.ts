/**
 * Whatever a caller sends, its connection survives, with all other calls on it: an error that repeats too much of it is more
 * than clients accept of trailers, and they give up the connection then.
 */

import { Study } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService as Api, type StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { type MethodDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { health, methodIn } from '../support/dynamic.ts';
import { Channel } from '../support/grpc.ts';
import { rejection } from '../support/rejection.ts';
import { longStudy } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

/** HTTP/2 counts 32 bytes for each header besides name and value. */
function trailerBytes({ details, metadata }: ServiceError): number {
  const headers = { 'grpc-status': '13', 'grpc-message': encodeURI(details), ...metadata.toHttp2Headers() };
  return Object.entries(headers).reduce(
    (sum, [name, value]) => sum + name.length + `${value}`.length + 32,
    0,
  );
}

const junk: [what: string, text: string][] = [
  ['70 kB', 'x'.repeat(70_000)],
  ['20,000 é', 'é'.repeat(20_000)],
  ['9,000 emoji', '😀'.repeat(9_000)],
  ['control characters', '\n\r\0\u001b[31m'.repeat(2_000)],
  ['percent signs', '%'.repeat(50_000)],
];

const study = (text: string) =>
  Study.fromPartial({
    displayName: text,
    problem: { dataset: text, model: text, optimizer: text },
    space: { parameters: Array.from({ length: 64 }, (_, i) => ({ name: `${text.slice(0, 2_000)}${i}` })) },
    training: { seeds: [1, 1] },
  });

type Call = (channel: Channel, text: string) => Promise<unknown>;

const calls: [method: string, call: Call, code: status][] = [
  ['GetStudy', (channel, name) => channel.unary(Api.getStudy, { name }), status.INVALID_ARGUMENT],
  ['GetOuterStep', (channel, name) => channel.unary(Api.getOuterStep, { name }), status.INVALID_ARGUMENT],
  [
    'ListTrials',
    (channel, text) =>
      channel.unary(Api.listTrials, { parent: 'studies/none', pageSize: 0, pageToken: text }),
    status.NOT_FOUND,
  ],
  [
    'ListStudies',
    (channel, pageToken) =>
      channel.unary(Api.listStudies, { pageSize: 0, pageToken, states: [], labels: {} }),
    status.INVALID_ARGUMENT,
  ],
  [
    'WatchStudy',
    (channel, name) => channel.serverStream(Api.watchStudy, { name, cursor: name, maxLag: 0 }),
    status.INVALID_ARGUMENT,
  ],
  [
    'CreateStudy',
    (channel, text) => channel.unary(Api.createStudy, { study: study(text), requestId: text }),
    status.INVALID_ARGUMENT,
  ],
  [
    'ValidateStudy',
    (channel, text) => channel.unary(Api.validateStudy, { study: study(text) }),
    status.INVALID_ARGUMENT,
  ],
  [
    'Health.Check',
    (channel, service) =>
      channel.unary(methodIn(health, 'Check') as MethodDefinition<object, object>, { service }),
    status.NOT_FOUND,
  ],
];

describe('a connection with a watch', () => {
  let trainer: TestTrainer;
  let channel: Channel;
  let events: AsyncGenerator<StudyEvent, void, undefined>;
  let name: string;

  beforeAll(async () => {
    trainer = await TestTrainer.start();
    channel = new Channel(trainer.address);
    await trainer.client.studies.create(longStudy({ seeds: [1] }));
    ({ name } = await trainer.client.studies.create(longStudy({ seeds: [2] })));
    events = channel.open(Api.watchStudy, { name, cursor: '', maxLag: 0 });
    expect((await events.next()).value?.cursor).toBe('1');
  });
  afterAll(async () => {
    channel[Symbol.dispose]();
    await trainer[Symbol.asyncDispose]();
  });

  describe.each(calls)('is sent to %s', (_method, call, code) => {
    it.each(junk)('%s, and gets a short error', async (_what, text) => {
      const error = await rejection<ServiceError>(call(channel, text));
      expect(error.code, error.details).toBe(code);
      expect(trailerBytes(error)).toBeLessThan(4_096);
    });
  });

  it('still has its watch in the end', async () => {
    await channel.unary(Api.cancelStudy, { name });
    const { value } = await events.next();
    expect(value).toMatchObject({ cursor: '2' });
  });
});
