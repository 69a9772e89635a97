/** Client of the DMD service: windows streamed row by row, with one answer each. */

import {
  type DmdOptions,
  DmdServiceClient,
  type EstimateGlocalRequest,
  type EstimateGlocalResponse,
  type WindowReport,
} from '@glocal/proto/glocal/v1/dmd';
import { type ClientDuplexStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import pRetry, { AbortError } from 'p-retry';
import { encodeRow } from '../loop/window.ts';
import { retryInfo } from './retry-info.ts';

/** The DMD service refused a window, or could not be reached within the budget. */
export class DmdError extends Error {
  override readonly name = 'DmdError';
  /** False when it makes no sense to send the same window again. */
  readonly unavailable: boolean;

  constructor(message: string, unavailable: boolean, cause: unknown) {
    super(message, { cause });
    this.unavailable = unavailable;
  }
}

/** A window that is being sent. */
export interface OpenWindow {
  /** Sends the next row; never waits. */
  push(row: Float64Array): void;
  /**
   * The answer, once all rows have been pushed. When the stream broke, the whole window is sent again until the budget
   * is used up.
   * @throws DmdError
   */
  report(): Promise<WindowReport>;
  /** Gives the window up. */
  abandon(): void;
}

/** What a window is: its shape, its options, and what came before it. */
export interface WindowShape {
  readonly rows: number;
  readonly components: number;
  readonly options: DmdOptions;
  /** Euclidean norms of earlier hypergradients, oldest first. */
  readonly priorNorms: readonly number[];
}

const RETRYABLE: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
]);

/** Time to answer once the last row has been sent. */
const ANSWER_DEADLINE_MS = 30_000;
/** The service keeps the last norms only for its spike test; more would only cost transport. */
const MAX_PRIOR_NORMS = 10_000;

export class DmdClient {
  readonly #client: DmdServiceClient;
  readonly #retryBudgetMs: number;

  /**
   * @param address host:port of the service.
   * @param retryBudgetMs how long to go on trying when it is away.
   */
  constructor(address: string, retryBudgetMs: number) {
    this.#client = new DmdServiceClient(address, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': -1,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2_000,
    });
    this.#retryBudgetMs = retryBudgetMs;
  }

  close(): void {
    this.#client.close();
  }

  /** Opens a window; its rows are sent as they are pushed, so that the service can work while the trainer trains. */
  openWindow(shape: WindowShape): OpenWindow {
    const rows: Float64Array[] = [];
    let first: Attempt | undefined = new Attempt(this.#client, shape);
    return {
      push: (row) => {
        rows.push(row);
        first?.send(row);
      },
      report: () =>
        pRetry(
          async () => {
            const attempt = first ?? this.#resend(shape, rows);
            first = undefined;
            try {
              return await attempt.answer();
            } catch (error) {
              throw retryable(error) ? error : new AbortError(asDmdError(error));
            }
          },
          {
            retries: Number.POSITIVE_INFINITY,
            minTimeout: 200,
            maxTimeout: 5_000,
            randomize: true,
            maxRetryTime: this.#retryBudgetMs,
          },
        ).catch((error: unknown) => {
          throw error instanceof DmdError ? error : asDmdError(error);
        }),
      abandon: () => {
        first?.cancel();
        first = undefined;
      },
    };
  }

  #resend(shape: WindowShape, rows: readonly Float64Array[]): Attempt {
    const attempt = new Attempt(this.#client, shape);
    for (const row of rows) attempt.send(row);
    return attempt;
  }
}

const WINDOW_ID = 'window';

/** One stream with one window. */
class Attempt {
  readonly #stream: ClientDuplexStream<EstimateGlocalRequest, EstimateGlocalResponse>;
  readonly #answer: Promise<WindowReport>;
  #row = 0;

  constructor(client: DmdServiceClient, { rows, components, options, priorNorms }: WindowShape) {
    this.#stream = client.estimateGlocal();
    this.#answer = new Promise((resolve, reject) => {
      this.#stream.on('data', ({ report }: EstimateGlocalResponse) => {
        if (report !== undefined) resolve(report);
      });
      this.#stream.on('error', reject);
      this.#stream.on('end', () => reject(new Error('the stream ended without an answer')));
    });
    // Whoever never asks for the answer is not to be told of its failure.
    this.#answer.catch(() => {});
    const open = { rows, components, options, priorNorms: priorNorms.slice(-MAX_PRIOR_NORMS) };
    this.#stream.write({ windowId: WINDOW_ID, payload: { $case: 'open', value: open } });
  }

  send(row: Float64Array): void {
    const value = { row: this.#row++, values: encodeRow(row) };
    this.#stream.write({ windowId: WINDOW_ID, payload: { $case: 'hypergradient', value } });
  }

  async answer(): Promise<WindowReport> {
    this.#stream.end();
    const timer = setTimeout(() => this.#stream.cancel(), ANSWER_DEADLINE_MS);
    try {
      return await this.#answer;
    } finally {
      clearTimeout(timer);
    }
  }

  cancel(): void {
    this.#stream.cancel();
  }
}

const codeOf = (error: unknown): status | undefined => (error as Partial<ServiceError> | undefined)?.code;

function retryable(error: unknown): boolean {
  const code = codeOf(error);
  // A limit that this window will always pass: else the service would say when to come again.
  if (code === status.RESOURCE_EXHAUSTED && retryInfo(error) === null) return false;
  return code === undefined || RETRYABLE.has(code);
}

function asDmdError(error: unknown): DmdError {
  const message = error instanceof Error ? error.message : String(error);
  return new DmdError(`DMD service: ${message}`, retryable(error), error);
}
