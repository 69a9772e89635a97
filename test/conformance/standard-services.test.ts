/** What every gRPC tool expects of a server: health, and reflection that is enough to call its methods. */

import { type ServiceError, status } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  contract,
  health,
  methodIn,
  Reflection,
  type ReflectionError,
  serviceIn,
} from '../support/dynamic.ts';
import { Channel } from '../support/grpc.ts';
import { rejection } from '../support/rejection.ts';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;
beforeAll(async () => {
  trainer = await TestTrainer.start();
});
afterAll(() => trainer[Symbol.asyncDispose]());

const servers = [
  {
    server: 'the trainer',
    service: 'glocal.v1.StudyService',
    message: 'glocal.v1.OuterStep',
    address: async () => trainer.address,
    method: 'GetServerInfo',
    request: {},
    answer: { dmd_address: expect.stringMatching(/^127\.0\.0\.1:\d+$/), limits: { max_trials: 1_000 } },
  },
  {
    server: 'the DMD service',
    service: 'glocal.v1.DmdService',
    message: 'glocal.v1.WindowReport',
    address: async () => (await trainer.client.serverInfo()).dmdAddress,
    method: 'AnalyzeWindow',
    request: {
      spec: { rows: 3, components: 1, options: { delays: 1 } },
      hypergradients: Buffer.from(Float64Array.of(2, 2, 2).buffer),
    },
    answer: { report: { verdict: 'VERDICT_TRUSTED', component_trusted: [true] } },
  },
];

describe.each(servers)('$server', ({ service, message, address, method, request, answer }) => {
  let channel: Channel;
  beforeAll(async () => {
    channel = new Channel(await address());
  });
  afterAll(() => channel[Symbol.dispose]());

  it.each(['', service])('says that "%s" is SERVING', async (name) => {
    expect(await channel.unary(methodIn(health, 'Check'), { service: name })).toMatchObject({
      status: 'SERVING',
    });
  });

  it('does not know the health of other services', async () => {
    const call = channel.unary(methodIn(health, 'Check'), { service: 'glocal.v1.Other' });
    expect((await rejection<ServiceError>(call)).code).toBe(status.NOT_FOUND);
  });

  describe.each(['v1', 'v1alpha'] as const)('by reflection %s', (version) => {
    let reflection: Reflection;
    beforeAll(() => {
      reflection = new Reflection(channel, version);
    });

    it('lists its services', async () => {
      expect(await reflection.services()).toEqual(expect.arrayContaining([service, 'grpc.health.v1.Health']));
    });

    it('describes every service that it lists', async () => {
      for (const name of await reflection.services()) {
        const definitions = await reflection.definitionsOf(name);
        expect(Object.keys(serviceIn(definitions, name)).length, name).toBeGreaterThan(0);
      }
    });

    it('describes the methods and messages of the contract', async () => {
      const definitions = await reflection.definitionsOf(service);
      expect(Object.keys(serviceIn(definitions, service))).toEqual(Object.keys(serviceIn(contract, service)));
      const messages = Object.keys(definitions).filter((name) => fieldsIn(definitions, name) !== undefined);
      expect(messages).toContain(message);
      for (const name of messages.filter((defined) => defined.startsWith('glocal.'))) {
        expect(fieldsIn(definitions, name), name).toEqual(fieldsIn(contract, name));
      }
    });

    it('describes a message', async () => {
      const definitions = await reflection.definitionsOf(message);
      expect(fieldsIn(definitions, message)).toEqual(fieldsIn(contract, message));
    });

    it('knows where a method is', async () => {
      const definitions = await reflection.definitionsOf(`${service}.${method}`);
      expect(Object.keys(serviceIn(definitions, service))).toContain(method);
    });

    it('answers NOT_FOUND for what there is not', async () => {
      const error = await rejection<ReflectionError>(reflection.definitionsOf('glocal.v1.Nothing'));
      expect(error.code).toBe(status.NOT_FOUND);
    });

    it('says enough to call a method', async () => {
      const definitions = await reflection.definitionsOf(service);
      const response = await channel.unary(methodIn(serviceIn(definitions, service), method), request);
      expect(response).toMatchObject(answer);
    });
  });
});

it('the trainer tells those that watch its health when it stops', async () => {
  await using stopping = await TestTrainer.start();
  using channel = new Channel(stopping.address);
  const seen: string[] = [];
  for await (const answer of channel.open(methodIn(health, 'Watch'), { service: '' })) {
    const { status: now } = answer as { status: string };
    seen.push(now);
    if (now === 'SERVING') process.kill(stopping.pid, 'SIGTERM');
    else break;
  }
  expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
  expect((await stopping.server.ended).how).toBe('exit code 0');
});

interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly label: string;
  readonly proto3Optional: boolean;
}

/** What is to be known of the fields of a message; undefined for what is no message. */
function fieldsIn(definitions: PackageDefinition, message: string): Field[] | undefined {
  const type = definitions[message]?.type;
  if (typeof type !== 'object' || !('field' in type)) return undefined;
  return (type.field as Field[]).map(({ name, number, type: kind, label, proto3Optional }) => ({
    name,
    number,
    type: kind,
    label,
    proto3Optional,
  }));
}
