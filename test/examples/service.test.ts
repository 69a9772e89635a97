/** The web service of the examples, with a real trainer. */

import { GlocalClient } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tuningService } from '../../sdk/examples/service/app.ts';
import { deadAddress } from '../support/ports.ts';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;
let metrics: string;
let base: string;
const cleanUp = new AsyncDisposableStack();

beforeAll(async () => {
  trainer = cleanUp.use(await TestTrainer.start({ args: ['--metrics-listen', '127.0.0.1:0'] }));
  const line = trainer.log.find((text) => text.includes('"metricsAddress"')) ?? '{}';
  metrics = `http://${JSON.parse(line).metricsAddress}/metrics`;
  const app = tuningService(trainer.client);
  cleanUp.defer(() => app.close());
  base = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => cleanUp.disposeAsync());

const post = (body: object): Promise<Response> =>
  fetch(`${base}/studies`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Starts a study of a network that trains fast. @returns the path of its events */
async function start(steps: number): Promise<string> {
  const response = await post({ model: 'logistic', batchSize: 32, steps });
  expect(response.status).toBe(201);
  const { events } = (await response.json()) as { readonly events: string };
  expect(response.headers.get('location')).toBe(events);
  return events;
}

interface Message {
  readonly id?: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** As a browser reads them. */
async function* messages(path: string, init: RequestInit = {}): AsyncGenerator<Message> {
  const response = await fetch(`${base}${path}`, init);
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const parts = (text + chunk).split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const fields = part.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2));
      const { data, ...rest } = Object.fromEntries(fields);
      yield { ...rest, data: JSON.parse(data) };
    }
  }
}

describe('a study that was asked for', () => {
  it('is told of event by event to its end, and from the event after the last one seen', {
    timeout: 120_000,
  }, async () => {
    const events = await start(40);
    const all = await Array.fromAsync(messages(events));
    expect(all[0]).toMatchObject({ event: 'study', data: { state: 'ACTIVE' } });
    expect(all.at(-1)).toMatchObject({ event: 'end', data: { state: 'COMPLETED' } });
    const outerSteps = all.filter(({ event }) => event === 'outerStep');
    expect(outerSteps.map(({ data }) => data.step)).toEqual([20, 40]);
    expect(outerSteps[0]?.data).toMatchObject({
      values: { lr: 0.01, weightDecay: 5e-4 },
      validation: { loss: expect.any(Number) },
    });

    const seen = outerSteps[0]?.id ?? '';
    const later = await Array.fromAsync(messages(events, { headers: { 'last-event-id': seen } }));
    const ids = all.filter(({ event }) => event !== 'progress').map(({ id }) => id);
    expect(later.map(({ id }) => id)).toEqual(ids.slice(ids.indexOf(seen) + 1));
  });

  it('is watched for as long as somebody listens', async () => {
    const watches = async (): Promise<number> => {
      const figure = 'glocal_trainer_grpc_calls_in_flight{method="glocal.v1.StudyService/WatchStudy"}';
      const lines = (await (await fetch(metrics)).text()).split('\n');
      return Number(lines.find((line) => line.startsWith(figure))?.split(' ')[1] ?? 0);
    };
    const events = await start(5_000_000);
    const browser = new AbortController();
    const listened = messages(events, { signal: browser.signal });
    expect((await listened.next()).value).toMatchObject({ event: 'study' });
    expect(await watches()).toBe(1);
    browser.abort();
    await expect(Array.fromAsync(listened)).rejects.toThrow();
    await expect.poll(watches, { timeout: 10_000 }).toBe(0);
    const study = await trainer.client.studies.get(events.replace(/^\/|\/events$/g, ''));
    expect(study.state).toBe('ACTIVE');
    await study.cancel();
  });
});

describe('an error is JSON', () => {
  it.each<[string, object, object]>([
    ['a wish that the service does not know', { stepz: 1 }, { code: 'FST_ERR_VALIDATION' }],
    [
      'one that the trainer refuses',
      { model: 'lenett', steps: 60 },
      { code: 'INVALID_ARGUMENT', fields: [expect.objectContaining({ field: 'problem.model' })] },
    ],
  ])('of %s', async (_what, body, expected) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject(expected);
  });

  it('of a study that is not there', async () => {
    const response = await fetch(`${base}/studies/none/events`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND', requestId: expect.any(String) });
  });

  it('of a trainer that is away', async () => {
    await using client = new GlocalClient({
      address: await deadAddress(),
      retry: { maxAttempts: 1 },
    });
    await using app = tuningService(client);
    const response = await app.inject({ method: 'POST', url: '/studies', payload: {} });
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ code: 'UNAVAILABLE' });
  });
});
