/** Spans of a real trainer, its training process and its DMD service, as an OpenTelemetry collector receives them. */

import { DmdOptions } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, FloatParameter, Scale, Study } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { Metadata } from '@grpc/grpc-js';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CollectedSpan, Collector } from '../support/collector.ts';
import { Channel } from '../support/grpc.ts';
import { deadAddress } from '../support/ports.ts';
import { rejection } from '../support/rejection.ts';
import { DELAYS, SIGMA, VALIDATION, WINDOW } from '../support/studies.ts';
import { Telemetry } from '../support/telemetry.ts';
import { TestTrainer } from '../support/trainer.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const SECRET = 'of-nobody-else';
const WINDOWS = 2;
const WITHIN = { timeout: 20_000, interval: 50 };
const CREATE = 'glocal.v1.StudyService/CreateStudy';
const ESTIMATE = 'glocal.v1.DmdService/EstimateGlocal';

const study = Study.fromPartial({
  displayName: SECRET,
  space: {
    parameters: [
      {
        name: 'lr',
        kind: {
          $case: 'float',
          value: FloatParameter.fromPartial({ min: 1e-3, max: 1, initial: 0.02, scale: Scale.LOG }),
        },
      },
    ],
  },
  problem: {
    ...{ dataset: 'fashion-mnist-10k', model: 'mlp', optimizer: 'sgd' },
    ...{ batchSize: 32, validationExamples: VALIDATION },
  },
  training: { steps: WINDOWS * WINDOW, seeds: [1] },
  method: {
    ...{ estimator: Estimator.GLOCAL, window: WINDOW, sigma: SIGMA },
    dmd: DmdOptions.fromPartial({ delays: DELAYS }),
    outer: { rate: 0.3 },
  },
});

const exportingTo = (endpoint: string, more: NodeJS.ProcessEnv = {}) => ({
  env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '100', ...more },
});

/** Makes the study, and resolves with its name when it has ended. */
async function create({ client, address }: TestTrainer, metadata = new Metadata()): Promise<string> {
  using channel = new Channel(address);
  const request = { study, requestId: '' };
  const { name } = await channel.unary(StudyServiceService.createStudy, request, metadata);
  expect(await (await client.studies.get(name)).result()).toMatchObject({ state: 'COMPLETED' });
  return name;
}

/** Metadata of a caller that has a span. */
function below(flags: '00' | '01'): Metadata {
  const metadata = new Metadata();
  metadata.set('traceparent', `00-${TRACE}-${CALLER}-${flags}`);
  metadata.set('tracestate', 'vendor=value');
  metadata.set('authorization', `Bearer ${SECRET}`);
  return metadata;
}

describe('with a collector', () => {
  let collector: Collector;
  let trainer: TestTrainer;
  let name: string;
  beforeAll(async () => {
    collector = await Collector.start();
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=42' };
    trainer = await TestTrainer.start({
      ...exportingTo(collector.endpoint, headers),
      args: ['--log-level', 'debug'],
    });
    name = await create(trainer, below('01'));
    await vi.waitUntil(() => collector.named('glocal.trial').length === 1, WITHIN);
    await vi.waitUntil(() => collector.named('analyze window').length === WINDOWS, WITHIN);
  });
  afterAll(async () => {
    await trainer?.[Symbol.asyncDispose]();
    await collector?.[Symbol.asyncDispose]();
  });

  const spansBelow = ({ id }: { readonly id: string }, named: string): CollectedSpan[] =>
    collector.spans.filter((span) => span.parent === id && span.name === named);

  it("a call, the attempt at a trial, its windows, their DMD calls and the DMD service's work are one trace", () => {
    const [call, ...otherCalls] = spansBelow({ id: CALLER }, CREATE);
    expect(otherCalls).toEqual([]);
    expect(call).toMatchObject({ kind: 'server', service: 'glocal-trainer', failed: false });
    const [attempt, ...otherAttempts] = spansBelow(call as CollectedSpan, 'glocal.trial');
    expect(otherAttempts).toEqual([]);
    const windows = spansBelow(attempt as CollectedSpan, 'glocal.window');
    expect(windows).toHaveLength(WINDOWS);
    for (const window of windows) {
      const [dmdCall] = spansBelow(window, ESTIMATE);
      expect(dmdCall).toMatchObject({ kind: 'client', service: 'glocal-trainer', failed: false });
      const [answer] = spansBelow(dmdCall as CollectedSpan, ESTIMATE);
      expect(answer).toMatchObject({ kind: 'server', service: 'glocal-dmd', traceState: 'vendor=value' });
      expect(spansBelow(answer as CollectedSpan, 'analyze window')).toHaveLength(1);
    }
    const traces = ['glocal.trial', 'glocal.window', ESTIMATE, 'analyze window']
      .flatMap((name) => collector.named(name))
      .map(({ trace }) => trace);
    expect(new Set(traces)).toEqual(new Set([TRACE]));
  });

  it('a call of the SDK has a span, below what the program is doing and above that of the server', async () => {
    await using telemetry = new Telemetry();
    const work = telemetry.tracer.startSpan('work');
    await context.with(trace.setSpan(context.active(), work), async () => {
      await trainer.client.studies.get(name);
      await rejection(trainer.client.artifacts.get('artifacts/nothing'));
      for await (const _event of (await trainer.client.studies.get(name)).watch()) break;
    });
    work.end();
    const named = (method: string) =>
      telemetry.ended.filter((span) => span.name === `glocal.v1.StudyService/${method}`);
    const [found] = named('GetStudy');
    const [refused] = named('GetArtifact');
    const { traceId, spanId } = found?.spanContext() ?? {};
    expect(found?.kind).toBe(SpanKind.CLIENT);
    expect(found?.parentSpanContext?.spanId).toBe(work.spanContext().spanId);
    expect(found?.attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': 'glocal.v1.StudyService/GetStudy',
      'server.address': '127.0.0.1',
      'server.port': Number(trainer.address.split(':').at(-1)),
      'rpc.response.status_code': 'OK',
    });
    expect(refused?.status.code).toBe(SpanStatusCode.ERROR);
    expect(refused?.attributes).toMatchObject({
      'rpc.response.status_code': 'NOT_FOUND',
      'error.type': 'NOT_FOUND',
    });
    // Leaving the loop is no failure.
    expect(named('WatchStudy')[0]?.attributes['rpc.response.status_code']).toBe('CANCELLED');
    expect(named('WatchStudy')[0]?.status.code).toBe(SpanStatusCode.UNSET);
    await expect
      .poll(() => collector.spans.find(({ parent }) => parent === spanId), WITHIN)
      .toMatchObject({ trace: traceId, service: 'glocal-trainer', kind: 'server' });
  });

  it('a span tells what it is about', () => {
    expect(collector.named(CREATE)[0]?.attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.service': 'glocal.v1.StudyService',
      'rpc.method': CREATE,
      'rpc.response.status_code': 'OK',
    });
    expect(collector.named('glocal.trial')[0]?.attributes).toEqual({
      'glocal.study': name,
      'glocal.trial': `${name}/trials/0`,
      'glocal.attempt': 1,
      'glocal.outcome': 'SUCCEEDED',
    });
    const windows = collector.named('glocal.window').map(({ attributes }) => attributes);
    expect(windows.map((attributes) => attributes['glocal.outer_step'])).toEqual([1, 2]);
    expect(windows[0]).toMatchObject({
      'glocal.study': name,
      'glocal.estimator': 'GLOCAL',
      'glocal.steps_done': WINDOW,
      'glocal.window.verdict': expect.stringMatching(/^[A-Z]+/),
      'glocal.update.fell_back': false,
    });
  });

  it('a call of a caller without a span begins a trace, and one that fails says so', async () => {
    await rejection(trainer.client.studies.get('studies/nothing'));
    const get = 'glocal.v1.StudyService/GetStudy';
    const refused = () =>
      collector.named(get).find(({ attributes }) => attributes['rpc.response.status_code'] === 'NOT_FOUND');
    await expect.poll(refused, WITHIN).toMatchObject({ parent: '', failed: false });
    expect(refused()?.trace).not.toBe(TRACE);
  });

  it('a caller that is not sampled has no spans', async () => {
    const before = collector.named(CREATE).length;
    await create(trainer, below('00'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(collector.named(CREATE)).toHaveLength(before);
    expect(collector.named('glocal.trial')).toHaveLength(1);
  });

  it('the collector is sent what it asks for, and nothing that is secret', () => {
    expect(collector.metadata.map((metadata) => metadata.get('x-tenant'))).toEqual(
      collector.metadata.map(() => ['42']),
    );
    expect(JSON.stringify(collector.spans)).not.toContain(SECRET);
  });

  it('the line of the log about a call has its trace', () => {
    const lines = trainer.log.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    expect(lines.find(({ method }) => method === `/${CREATE}`)).toMatchObject({ traceId: TRACE });
  });
});

describe('without a collector', () => {
  it('nothing is exported where the variables do not ask for it', async () => {
    await using collector = await Collector.start();
    const options = exportingTo(collector.endpoint, { OTEL_SDK_DISABLED: 'true' });
    await using trainer = await TestTrainer.start(options);
    await create(trainer, below('01'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(collector.spans).toEqual([]);
  });

  it('a collector that is away disturbs nothing, and is mentioned once', async () => {
    const variables = { OTEL_EXPORTER_OTLP_TIMEOUT: '200' };
    const options = exportingTo(`http://${await deadAddress()}`, variables);
    await using trainer = await TestTrainer.start(options);
    const lines = () => trainer.log.filter((line) => line.includes('OpenTelemetry collector'));
    await create(trainer, below('01'));
    await expect.poll(lines, WITHIN).toHaveLength(1);
    await create(trainer, below('01'));
    expect(lines()).toHaveLength(1);
    const began = performance.now();
    await trainer.server.stop();
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('a wrong variable ends the start', async () => {
    const options = exportingTo('http://127.0.0.1:4317', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' });
    await expect(TestTrainer.start(options)).rejects.toThrow(
      'exit code 64: glocal-trainer: OTEL_EXPORTER_OTLP_PROTOCOL: is "http/protobuf"; ',
    );
  });
});
