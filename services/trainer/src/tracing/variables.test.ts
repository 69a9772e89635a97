import { describe, expect, it } from 'vitest';
import { tracingSettings } from './variables.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317' };

describe('spans are exported', () => {
  it.each([
    ['with an endpoint', ENDPOINT],
    ['with one for spans', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4317' }],
    ['over gRPC, however it is written', { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'GRPC' }],
    ['whatever is empty', { ...ENDPOINT, OTEL_TRACES_EXPORTER: '', OTEL_SDK_DISABLED: '' }],
  ])('%s', (_, environment) => {
    expect(tracingSettings(environment)).toMatchObject({ sampler: 'parentbased_always_on', ratio: 1 });
  });

  it('as the sampler and the batches of the specification say', () => {
    const environment = {
      ...ENDPOINT,
      ...{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
      OTEL_BSP_SCHEDULE_DELAY: '20',
    };
    expect(tracingSettings(environment)).toMatchObject({
      ...{ sampler: 'traceidratio', ratio: 0.25 },
      scheduleDelayMs: 20,
    });
  });
});

it.each([
  ['without an endpoint', {}],
  ['with an empty one', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  ['with the SDK disabled', { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }],
  ['without an exporter', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
])('no spans are exported %s', (_, environment) => {
  expect(tracingSettings(environment)).toBeUndefined();
});

it.each([
  ['OTEL_TRACES_EXPORTER', 'zipkin'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/protobuf'],
  ['OTEL_TRACES_SAMPLER', 'some'],
  ['OTEL_TRACES_SAMPLER_ARG', '2'],
  ['OTEL_BSP_SCHEDULE_DELAY', 'soon'],
])('a wrong %s is named', (name, value) => {
  const environment = { ...ENDPOINT, OTEL_TRACES_SAMPLER: 'traceidratio', [name]: value };
  expect(() => tracingSettings(environment)).toThrow(`${name}: is "${value}"; `);
});
