/**
 * A web service that tunes: `POST /studies` starts a study, and `GET /studies/ID/events` streams its progress as server-sent
 * events. The browser's EventSource does the rest: when the connection is lost it comes back with the id of the last event.
 */

import { Readable } from 'node:stream';
import { fixed, float, type GlocalClient, space } from '@glocal/sdk';
import Fastify, { type FastifyInstance } from 'fastify';
import { answerWithJson } from './errors.ts';
import { serverSentEvents } from './server-sent-events.ts';

const tuned = space({
  lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
  momentum: float({ min: 0, max: 1, init: 0.1 }),
  weightDecay: fixed(5e-4),
});

/** What a request may choose; everything has a default. */
interface Wish {
  readonly model: string;
  readonly batchSize: number;
  readonly steps: number;
}

const wish = {
  type: 'object',
  additionalProperties: false,
  properties: {
    model: { type: 'string', default: 'lenet' },
    batchSize: { type: 'integer', default: 128 },
    steps: { type: 'integer', default: 200 },
  },
};

/** @param client stays the caller's to close. */
export function tuningService(client: GlocalClient): FastifyInstance {
  // The service says what it does not know, in place of leaving it out.
  const app = Fastify({ ajv: { customOptions: { removeAdditional: false } } });
  answerWithJson(app);

  app.post<{ Body: Wish }>('/studies', { schema: { body: wish } }, async ({ body }, reply) => {
    const { model, batchSize, steps } = body;
    const study = await client.studies.create({
      space: tuned,
      problem: { dataset: 'fashion-mnist-10k', model, optimizer: 'sgd', batchSize },
      training: { steps },
      method: { estimator: 'glocal', window: 20, sigma: 10 },
    });
    const events = `/${study.name}/events`;
    return reply.code(201).header('location', events).send({ name: study.name, events });
  });

  app.get<{ Params: { readonly id: string } }>('/studies/:id/events', async (request, reply) => {
    const study = await client.studies.get(`studies/${request.params.id}`, { space: tuned });
    const { 'last-event-id': cursor } = request.headers;
    const left = new AbortController();
    reply.raw.once('close', () => left.abort());
    const events = serverSentEvents(study, { cursor: cursor?.toString(), signal: left.signal });
    return reply.type('text/event-stream').header('cache-control', 'no-store').send(Readable.from(events));
  });

  return app;
}
