/** A client of the DMD service alone: windows of hypergradients in, their heading out. Nothing is kept by the service. */

import { DmdServiceService } from '@glocal/proto/glocal/v1/dmd';
import { limit, unlessAborted } from '../abort.ts';
import { resolveTarget } from '../address.ts';
import { callOptions } from '../check/calls.ts';
import { analyzeOptions, estimatorOptions, windowOptions } from '../check/estimator.ts';
import { check } from '../check/rule.ts';
import { counted } from '../counted.ts';
import { GlocalError } from '../error.ts';
import { encodeVector } from '../float64.ts';
import type { CallOptions, ClientOptions } from '../options.ts';
import { type PlainNumbers, plainNumbers } from '../plain-numbers.ts';
import type { ReconnectOptions } from '../reconnect.ts';
import { decodeReport, type WindowReport } from '../report.ts';
import { asRows, type Row } from '../row.ts';
import { Transport } from '../transport.ts';
import { EstimateStream } from './estimate-stream.ts';
import { EstimatedWindow } from './estimated-window.ts';
import { OutgoingWindow } from './outgoing-window.ts';
import { type AnalyzeOptions, asOptions, encodeWindowSpec, leastRows, usesScales } from './window-spec.ts';

/** Options of a {@link GlocalEstimator}: those of a client, and how patient it is with a service that is away. */
export interface EstimatorOptions
  extends ClientOptions,
    Pick<ReconnectOptions, 'reconnectTimeout' | 'onDisconnect'> {
  /** As of a client. @default the environment variable GLOCAL_DMD_ADDRESS, else `localhost:50062` */
  readonly address?: string | readonly string[] | undefined;
}

/** A window to open. */
export interface WindowOptions extends AnalyzeOptions {
  /** Hypergradients in the window: at least `dmd.delays` + 1. */
  readonly rows: number;
  /** Components of each. */
  readonly components: number;
  /**
   * The window that came before, all of whose rows have been pushed: its norms are the `priorNorms`, and with 1,000 components or more
   * (and the scaling `component`) its largest values the `scales`, unless they are given. @default none
   */
  readonly follows?: EstimatedWindow | undefined;
}

/** What a DMD service is. */
export interface EstimatorInfo {
  /** Its version. */
  readonly version: string;
  readonly limits: EstimatorLimits;
}

/** Limits of a DMD service. */
export interface EstimatorLimits {
  /** Rows of a window. */
  readonly maxRows: number;
  /** Components of a hypergradient. */
  readonly maxComponents: number;
  /** Bytes of a message to it. */
  readonly maxMessageBytes: number;
  /** Windows that are open on one stream. */
  readonly maxOpenWindows: number;
  /** Bytes that all calls, their windows and reports may hold together. */
  readonly maxHeldBytes: number;
}

const DEFAULT_ADDRESS = 'localhost:50062';
/** Bytes of a long row in one message, about. */
const PART_BYTES = 1024 * 1024;
/** Bytes of a message beside the values of a row, generously. */
const BESIDE_VALUES = 1024;
const VALUE_BYTES = Float64Array.BYTES_PER_ELEMENT;

/** A client of a DMD service: what a `GlocalClient` is to a trainer. */
export class GlocalEstimator implements AsyncDisposable {
  /** Where the service is. */
  readonly address: string;
  readonly #transport: Transport;
  readonly #options: ReconnectOptions;
  readonly #streams: EstimateStream[] = [];
  #known: Promise<EstimatorInfo> | undefined;
  #windows = 0;

  /**
   * Connects when the first call is made.
   * @throws GlocalError INVALID_ARGUMENT or FAILED_PRECONDITION for options that contradict each other, are malformed, or
   *   would send in the clear to another machine.
   */
  constructor(options: EstimatorOptions = {}) {
    check([estimatorOptions, options, 'options']);
    const { reconnectTimeout, onDisconnect, ...client } = options;
    const fromEnvironment = process.env.GLOCAL_DMD_ADDRESS || undefined;
    const address = options.address ?? fromEnvironment?.split(',') ?? DEFAULT_ADDRESS;
    // A report has several values for each component.
    this.#transport = new Transport(resolveTarget({ ...client, address }), {
      ...client,
      maxReceiveBytes: -1,
    });
    this.#options = { reconnectTimeout, onDisconnect };
    this.address = this.#transport.address;
  }

  /** Version and limits of the service. */
  async info(options?: CallOptions): Promise<EstimatorInfo> {
    check([callOptions, options, 'options']);
    const { version, limits } = await this.#transport.unary(DmdServiceService.getDmdInfo, {}, options);
    if (limits === undefined) throw new GlocalError('DATA_LOSS', 'the DMD service has not told its limits');
    return { version, limits: plainNumbers(limits) satisfies PlainNumbers<typeof limits> };
  }

  /**
   * The report on a window whose rows are all there.
   * @param rows oldest first, at least `dmd.delays` + 1
   * @throws GlocalError INVALID_ARGUMENT with everything that is wrong; UNAVAILABLE when the service is away
   */
  async analyze(rows: readonly Row[], options: AnalyzeOptions & CallOptions = {}): Promise<WindowReport> {
    check([analyzeOptions, options, 'options']);
    const { signal, timeout, metadata, ...analysis } = options;
    const call = { signal, timeout, metadata };
    const [first] = asRows(rows, undefined);
    const components = first?.length ?? 0;
    const vectors = asRows(rows, { components, why: `rows[0] has ${components}` });
    const limits = await this.#limits(call);
    checkShape({ rows: rows.length, components }, analysis, limits, 'rows[0]');
    const { maxMessageBytes } = limits;
    const spec = encodeWindowSpec(rows.length, components, analysis);
    const bytes =
      VALUE_BYTES * (rows.length * components + spec.priorNorms.length) + (spec.scales?.length ?? 0);
    if (bytes + BESIDE_VALUES <= maxMessageBytes) {
      const request = { spec, hypergradients: encodeVector(vectors) };
      const { report } = await this.#transport
        .unary(DmdServiceService.analyzeWindow, request, call)
        .catch(refused);
      if (report === undefined) throw new GlocalError('DATA_LOSS', 'the answer has no report');
      return decodeReport(report);
    }
    const window = await this.open({ ...analysis, rows: rows.length, components });
    const within = limit(signal, timeout ?? this.#transport.timeout, 'the analysis');
    try {
      for (const vector of vectors) await unlessAborted(window.push(vector), [within.signal]);
      return await unlessAborted(window.report(), [within.signal]);
    } finally {
      within.release();
      window.abandon();
    }
  }

  /**
   * Opens a window, whose rows are sent as they are pushed. Many may be open at a time; they share a stream as far as the service
   * allows. Lost connections are made again, and what the service has not answered is sent again.
   * @throws GlocalError INVALID_ARGUMENT; RESOURCE_EXHAUSTED, reason LIMIT, for a window that the service does not take
   */
  async open(options: WindowOptions): Promise<EstimatedWindow> {
    check([windowOptions, options, 'options']);
    const { rows, components, follows, ...given } = options;
    const past = follows?.past;
    if (past !== undefined && past.components !== components) {
      const description = `has ${counted(past.components, 'component')}, and this window ${components}`;
      throw GlocalError.invalid('WINDOW', [{ field: 'follows', description }]);
    }
    const analysis = {
      ...given,
      priorNorms: given.priorNorms ?? past?.norms,
      scales: given.scales ?? (usesScales(given, components) ? past?.scales : undefined),
    };
    const limits = await this.#limits();
    checkShape({ rows, components }, analysis, limits, 'components');
    const partBytes = Math.floor(Math.min(PART_BYTES, limits.maxMessageBytes - BESIDE_VALUES) / 8) * 8;
    const id = `window-${++this.#windows}`;
    const outgoing = new OutgoingWindow(id, encodeWindowSpec(rows, components, analysis), partBytes);
    const stream = this.#streams.find(({ size }) => size < limits.maxOpenWindows) ?? this.#newStream();
    stream.adopt(outgoing);
    return new EstimatedWindow(outgoing, { rows, components }, analysis, () => {
      for (const each of this.#streams) each.abandon(outgoing);
    });
  }

  /** Ends the connection; windows under way throw CANCELLED, reason CLIENT_CLOSED. */
  close(): void {
    this.#transport.close();
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #newStream(): EstimateStream {
    const stream = new EstimateStream(this.#transport, this.#options, (windows) => {
      // Which of them was refused is found out by asking for each alone.
      for (const window of windows) this.#newStream().adopt(window);
    });
    this.#streams.push(stream);
    return stream;
  }

  /** Asked for once. */
  async #limits(options?: CallOptions): Promise<EstimatorLimits> {
    this.#known ??= this.info(options);
    try {
      return (await this.#known).limits;
    } catch (error) {
      this.#known = undefined;
      throw error;
    }
  }
}

function refused(error: unknown): never {
  throw asOptions(error);
}

/**
 * What the service would refuse, said before a stream that other windows share is ended for it.
 * @param length field that says how many components there are
 */
function checkShape(
  { rows, components }: { readonly rows: number; readonly components: number },
  analysis: AnalyzeOptions,
  { maxRows, maxComponents }: EstimatorLimits,
  length: 'components' | 'rows[0]',
): void {
  const { scales } = analysis;
  const violations = [];
  const least = leastRows(analysis);
  if (rows < least) {
    violations.push({
      field: 'rows',
      description: `${rows} ${rows === 1 ? 'is' : 'are'} too few; with ${counted(least - 1, 'delay')} at least ${least}`,
    });
  }
  if (rows > maxRows) violations.push({ field: 'rows', description: `the service takes at most ${maxRows}` });
  if (rows > 0 && components === 0) violations.push({ field: length, description: 'has no components' });
  if (components > maxComponents) {
    violations.push({
      field: length,
      description: `the service takes at most ${counted(maxComponents, 'component')}`,
    });
  }
  if (
    scales !== undefined &&
    (scales.length !== components || !scales.every((size) => size > 0 && size < Infinity))
  ) {
    violations.push({ field: 'scales', description: `is not ${counted(components, 'number')} above 0` });
  }
  if (violations.length > 0) throw GlocalError.invalid('WINDOW', violations);
}
