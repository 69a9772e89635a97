/**
 * What the environment says about spans, in the variables of the OpenTelemetry specification that the DMD service reads too.
 * The exporter itself reads those about its endpoint, headers, certificates, timeout and compression.
 */

import { ConfigError } from '../config/errors.ts';

/** How spans are chosen and sent. */
export interface TracingSettings {
  readonly sampler: Sampler;
  /** Share of the traces that are taken; only samplers whose names end in `traceidratio` use it. */
  readonly ratio: number;
  /** Milliseconds from the end of a span to its export. */
  readonly scheduleDelayMs: number | undefined;
  readonly maxQueueSize: number | undefined;
  readonly maxExportBatchSize: number | undefined;
}

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type Sampler = (typeof SAMPLERS)[number];

/** Of two variables the first that is set holds. */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
const PROTOCOLS = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'];

/**
 * Undefined where nobody is to be sent spans: there is no endpoint, or they are switched off.
 * @throws ConfigError naming the variable that cannot be used.
 */
export function tracingSettings(environment: NodeJS.ProcessEnv): TracingSettings | undefined {
  const read = (name: string) => environment[name]?.trim() || undefined;
  const disabled = read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
  const exporter = read('OTEL_TRACES_EXPORTER') ?? 'otlp';
  const endpoint = ENDPOINTS.find((name) => read(name) !== undefined);
  if (disabled || exporter === 'none' || endpoint === undefined) return undefined;
  if (exporter !== 'otlp') throw wrong('OTEL_TRACES_EXPORTER', exporter, 'otlp or none');
  const protocol = PROTOCOLS.find((name) => read(name) !== undefined);
  if (protocol !== undefined && read(protocol)?.toLowerCase() !== 'grpc') {
    const allowed = '"grpc" only, with the port of the collector for that (4317 by default) in the endpoint';
    throw wrong(protocol, read(protocol), allowed);
  }
  const sampler = SAMPLERS.find((name) => name === (read('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on'));
  if (sampler === undefined) {
    throw wrong('OTEL_TRACES_SAMPLER', read('OTEL_TRACES_SAMPLER'), `one of ${SAMPLERS.join(', ')}`);
  }
  const ratio = sampler.endsWith('traceidratio') ? Number(read('OTEL_TRACES_SAMPLER_ARG') ?? 1) : 1;
  if (!(ratio >= 0 && ratio <= 1)) {
    throw wrong('OTEL_TRACES_SAMPLER_ARG', read('OTEL_TRACES_SAMPLER_ARG'), 'a number from 0 to 1');
  }
  const whole = (name: string) => {
    const text = read(name);
    if (text === undefined || /^\d+$/.test(text)) return text === undefined ? undefined : Number(text);
    throw wrong(name, text, 'a whole number');
  };
  return {
    sampler,
    ratio,
    scheduleDelayMs: whole('OTEL_BSP_SCHEDULE_DELAY'),
    maxQueueSize: whole('OTEL_BSP_MAX_QUEUE_SIZE'),
    maxExportBatchSize: whole('OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
  };
}

const wrong = (name: string, value: string | undefined, allowed: string): ConfigError =>
  new ConfigError(`${name}: is ${JSON.stringify(value)}; ${allowed}`);
