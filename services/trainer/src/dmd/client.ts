/** Client of the DMD service: windows streamed row by row, with one answer each, from a service that may be away. */

import type { DmdServiceClient, WindowReport } from '@glocal/proto/glocal/v1/dmd';
import pRetry, { AbortError } from 'p-retry';
import { CircuitBreaker } from '../resource/circuit-breaker.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { connectDmd, type DmdConnection } from './connection.ts';
import { DmdError } from './errors.ts';
import { isSmall, WholeWindow } from './whole-window.ts';
import { type WindowShape, WindowStream } from './window-stream.ts';

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

/** A window on its way. */
type Sent = Pick<WindowStream, 'answer'>;

/** Time to answer once the last row has been sent. */
const ANSWER_WITHIN_MS = 30_000;
/** Not less than this, however little is left of the budget. */
const SHORTEST_WAIT_MS = 1_000;
/** The same for a service that was away, which nobody is to wait for. */
const TRIAL_WITHIN_MS = 5_000;
/** How often a window is sent to a service that fails on it: the second time tells a mishap from a fault. */
const MAX_FAILURES = 2;

/**
 * Waits for a service that is away as long as its budget says, but once: the windows after that are told at once, but for
 * one now and then that tries, until the service answers again.
 */
export class DmdClient {
  readonly #client: DmdServiceClient;
  readonly #retryBudgetMs: number;
  readonly #circuit: CircuitBreaker;

  /**
   * @param retryBudgetMs how long to go on trying when the service is away.
   * @param tracing undefined where there are no spans.
   */
  constructor(
    connection: DmdConnection,
    retryBudgetMs: number,
    circuit = new CircuitBreaker(),
    tracing?: Tracing,
  ) {
    this.#client = connectDmd(connection, tracing);
    this.#retryBudgetMs = retryBudgetMs;
    this.#circuit = circuit;
  }

  close(): void {
    this.#client.close();
  }

  /** Whether the service is left alone for now, as it was away. */
  get leavesAlone(): boolean {
    return this.#circuit.state === 'open';
  }

  /** Opens a window; its rows are sent as they are pushed, so that the service can work while the trainer trains. */
  openWindow(shape: WindowShape): OpenWindow {
    const { state } = this.#circuit;
    if (state === 'open') return LEFT_ALONE;
    const rows: Float64Array[] = [];
    let first: WindowStream | undefined = new WindowStream(this.#client, shape);
    return {
      push: (row) => {
        rows.push(row);
        first?.send(row);
      },
      report: () => {
        const next = () => {
          const stream = first ?? this.#resend(shape, rows);
          first = undefined;
          return stream;
        };
        return state === 'halfOpen' ? this.#tryOnce(next()) : this.#tryForLong(next);
      },
      abandon: () => {
        first?.cancel();
        first = undefined;
      },
    };
  }

  /**
   * The report on a window whose rows are all there: in one message where it is small.
   * @param retryBudgetMs how long to go on trying.
   * @throws DmdError
   */
  analyze(
    shape: WindowShape,
    rows: readonly Float64Array[],
    retryBudgetMs = this.#retryBudgetMs,
  ): Promise<WindowReport> {
    const { state } = this.#circuit;
    if (state === 'open') return LEFT_ALONE.report();
    const next = () =>
      isSmall(shape) ? new WholeWindow(this.#client, shape, rows) : this.#resend(shape, rows);
    return state === 'halfOpen' ? this.#tryOnce(next()) : this.#tryForLong(next, retryBudgetMs);
  }

  #resend(shape: WindowShape, rows: readonly Float64Array[]): WindowStream {
    const stream = new WindowStream(this.#client, shape);
    for (const row of rows) stream.send(row);
    return stream;
  }

  #tryOnce(stream: Sent): Promise<WindowReport> {
    return this.#noting(() => stream.answer(TRIAL_WITHIN_MS));
  }

  #tryForLong(next: () => Sent, budgetMs = this.#retryBudgetMs): Promise<WindowReport> {
    let failures = 0;
    const until = performance.now() + budgetMs;
    const attempt = async () => {
      try {
        // A service that takes windows and does not answer is as good as away.
        const left = Math.max(SHORTEST_WAIT_MS, until - performance.now());
        return await next().answer(Math.min(ANSWER_WITHIN_MS, left));
      } catch (error) {
        const reason = DmdError.from(error);
        if (reason.kind === 'failed') failures += 1;
        throw reason.kind === 'refused' || failures === MAX_FAILURES ? new AbortError(reason) : reason;
      }
    };
    return this.#noting(() =>
      pRetry(attempt, {
        retries: Number.POSITIVE_INFINITY,
        minTimeout: 200,
        maxTimeout: 5_000,
        randomize: true,
        maxRetryTime: budgetMs,
      }),
    );
  }

  /** Tells the circuit breaker how it went. A service that fails or refuses has answered. */
  async #noting(answer: () => Promise<WindowReport>): Promise<WindowReport> {
    try {
      const report = await answer();
      this.#circuit.succeeded();
      return report;
    } catch (error) {
      const reason = DmdError.from(error);
      if (reason.kind === 'away') this.#circuit.failed();
      else this.#circuit.succeeded();
      throw reason;
    }
  }
}

/** A window that is not sent, as the service was away a moment ago. */
const LEFT_ALONE: OpenWindow = {
  push() {},
  abandon() {},
  async report() {
    throw new DmdError('DMD service: it was away a moment ago, and is not waited for again', 'away');
  },
};
