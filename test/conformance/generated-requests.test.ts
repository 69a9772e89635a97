/** Whatever is asked that the contract's descriptors can express, is answered: never by INTERNAL or UNKNOWN, never not at all. */

import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceNamed } from '../support/descriptors.ts';
import { encodedMessages } from '../support/generated-messages.ts';
import { quickStudy } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

const DEADLINE_MS = 20_000;
/** The server failed, or did not answer. */
const FORBIDDEN = new Set([status.UNKNOWN, status.INTERNAL, status.DEADLINE_EXCEEDED, status.UNAVAILABLE]);

const service = serviceNamed('StudyService');

/** A study that may train, as `create` takes it. */
const GOOD = {
  space: {
    parameters: [
      { name: 'lr', kind: { case: 'float', value: { min: 0.001, max: 1, initial: 0.1 } } },
      { name: 'batch_size', kind: { case: 'int', value: { min: 4, max: 8 } } },
      { name: 'momentum', kind: { case: 'discrete', value: { values: [0, 0.5] } } },
    ],
  },
  problem: { dataset: 'fashion-mnist-10k', model: 'logistic', optimizer: 'sgd' },
  training: { steps: 100, seeds: [1] },
  method: { estimator: 5, window: 20, sigma: 10, dmd: { delays: 3 }, outer: { rate: 0.1 } },
  sampling: { method: 3, points: 4 },
};

let trainer: TestTrainer;
let client: Client;
let texts: string[];

beforeAll(async () => {
  trainer = await TestTrainer.start({ args: ['--max-active-studies', '2'] });
  client = new Client(trainer.address, credentials.createInsecure());
  const study = await trainer.client.studies.create(quickStudy({ outerSteps: 1 }));
  await study.result();
  texts = [
    ...[study.name, `${study.name}/trials/0`, `${study.name}/trials/0/outerSteps/1`, 'studies/none'],
    ...['lr', 'momentum', 'batch_size', 'optimizer', 'sgd', 'adam', 'mlp', 'fashion-mnist-10k', 'model.json'],
  ];
});
afterAll(async () => {
  client.close();
  await trainer[Symbol.asyncDispose]();
});

/** Sends the messages and nothing more. @returns the status of the call. */
function statusOf(method: string, messages: readonly Uint8Array[]): Promise<status> {
  const same = (bytes: Buffer) => bytes;
  const call = client.makeBidiStreamRequest(`/${service.typeName}/${method}`, same, same, new Metadata(), {
    deadline: Date.now() + DEADLINE_MS,
  });
  return new Promise((resolve) => {
    call.on('status', ({ code }) => resolve(code));
    call.on('error', () => {});
    call.resume();
    for (const message of messages) call.write(Buffer.from(message));
    call.end();
  });
}

/** What every call is tried with; what takes away what others ask for comes last. */
const byHarm = service.methods.toSorted(
  (a, b) => Number(/^Delete/.test(a.name)) - Number(/^Delete/.test(b.name)),
);
const CALLS = byHarm.map((method) => {
  const isStreamed = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  const base = ['CreateStudy', 'ValidateStudy'].includes(method.name) ? { study: GOOD } : undefined;
  return { name: method.name, input: method.input, maxLength: isStreamed ? 3 : 1, base };
});

describe.each(CALLS)('$name', ({ name, input, maxLength, base }) => {
  it('answers whatever it is asked', async () => {
    const codes = new Map<status, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(encodedMessages(input, texts, base), { minLength: 1, maxLength }),
        async (messages) => {
          const code = await statusOf(name, messages);
          codes.set(code, (codes.get(code) ?? 0) + 1);
          expect(FORBIDDEN.has(code), `${name} answers ${status[code]}`).toBe(false);
        },
      ),
      { numRuns: base === undefined ? 40 : 200 },
    );
    // Some of them are studies that may train.
    if (name === 'ValidateStudy') {
      expect(codes.get(status.OK)).toBeGreaterThan(10);
      expect(codes.get(status.INVALID_ARGUMENT)).toBeGreaterThan(10);
    }
  });
});
