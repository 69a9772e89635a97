/** A window that a client sends to the DMD service row by row. */

import { widen, withoutZeros } from '@glocal/trainer/outer';
import { counted } from '../counted.ts';
import { CancelledError, GlocalError } from '../error.ts';
import type { WindowReport } from '../report.ts';
import { asRow, ofWindow, type Row } from '../row.ts';
import type { OutgoingWindow } from './outgoing-window.ts';
import { type AnalyzeOptions, leastRows, usesScales } from './window-spec.ts';

/** What is known of a window when the one after it begins. */
export interface Past {
  /** Components of each row. */
  readonly components: number;
  /** Norms of the rows up to its end, oldest first. */
  readonly norms: readonly number[];
  /** Largest absolute value of each component; undefined where it is not used. */
  readonly scales: Float64Array | undefined;
}

/** Norms that are handed on: their median, which a spike is measured by, changes little with more. */
const MOST_NORMS = 1_000;

/** A window on its way (`estimator.open()`). */
export class EstimatedWindow {
  readonly #outgoing: OutgoingWindow;
  readonly #abandon: () => void;
  readonly #rows: number;
  readonly #components: number;
  readonly #options: AnalyzeOptions;
  readonly #norms: number[] = [];
  readonly #scales: Float64Array | undefined;

  /** @internal */
  constructor(
    outgoing: OutgoingWindow,
    shape: { readonly rows: number; readonly components: number },
    options: AnalyzeOptions,
    abandon: () => void,
  ) {
    this.#outgoing = outgoing;
    this.#rows = shape.rows;
    this.#components = shape.components;
    this.#options = options;
    this.#abandon = abandon;
    this.#scales = usesScales(options, shape.components) ? new Float64Array(shape.components) : undefined;
  }

  /** Rows that have been pushed. */
  get rows(): number {
    return this.#outgoing.rows;
  }

  /**
   * Sends the next row. Resolves when there is room for another one: a program that waits for it keeps pace with the service, one
   * that does not keeps its rows in memory. The row may be changed after the call.
   * @throws GlocalError INVALID_ARGUMENT for a row of another length or with a value that is not finite; FAILED_PRECONDITION,
   *   reason WINDOW_COMPLETE, when there is no room for it in the window
   */
  push(row: Row): Promise<void> {
    try {
      return this.#outgoing.push(this.#take(row));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * A report on the rows that have been pushed so far; the window stays open.
   * @throws GlocalError FAILED_PRECONDITION, reason TOO_FEW_ROWS, with fewer than `dmd.delays` + 1 rows
   */
  async estimate(): Promise<WindowReport> {
    const least = leastRows(this.#options);
    if (this.rows < least) throw tooFew(this.rows, `at least ${least} are needed`);
    return this.rows === this.#rows ? this.#outgoing.report : this.#outgoing.estimate();
  }

  /**
   * The report on the whole window.
   * @throws GlocalError FAILED_PRECONDITION, reason TOO_FEW_ROWS, while rows are missing; what the service has against the
   *   window; UNAVAILABLE when it was away for longer than `reconnectTimeout`
   */
  async report(): Promise<WindowReport> {
    if (this.rows < this.#rows) throw tooFew(this.rows, `the window has ${this.#rows}`);
    return this.#outgoing.report;
  }

  /** Gives the window up: {@link report} throws CANCELLED. */
  abandon(): void {
    this.#abandon();
    this.#outgoing.fail(new CancelledError('the window was abandoned', { reason: 'ABANDONED' }));
  }

  /** @internal */
  get past(): Past {
    const norms = [...(this.#options.priorNorms ?? []), ...this.#norms].slice(-MOST_NORMS);
    return { components: this.#components, norms, scales: this.#scales && withoutZeros(this.#scales) };
  }

  /** @throws GlocalError INVALID_ARGUMENT, FAILED_PRECONDITION */
  #take(row: Row): Float64Array {
    if (this.rows === this.#rows) {
      throw new GlocalError('FAILED_PRECONDITION', `all ${this.#rows} rows of the window have been pushed`, {
        reason: 'WINDOW_COMPLETE',
      });
    }
    const values = asRow(row, ofWindow(this.#components), 'row');
    this.#note(values);
    return values;
  }

  /** @throws GlocalError INVALID_ARGUMENT for a value that is not finite, which would end the stream of all windows. */
  #note(row: Float64Array): void {
    let squares = 0;
    for (let k = 0; k < row.length; k++) squares += (row[k] as number) ** 2;
    if (!Number.isFinite(squares)) expectFinite(row);
    this.#norms.push(Math.sqrt(squares));
    if (this.#scales !== undefined) widen(this.#scales, row);
  }
}

function expectFinite(row: Float64Array): void {
  const wrong = row.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return;
  const description = `component ${wrong} is ${row[wrong]}; hypergradients are finite`;
  throw GlocalError.invalid('NOT_ENCODABLE', [{ field: 'row', description }]);
}

const tooFew = (rows: number, needed: string): GlocalError =>
  new GlocalError(
    'FAILED_PRECONDITION',
    `${counted(rows, 'row')} ${rows === 1 ? 'has' : 'have'} been pushed; ${needed}`,
    {
      reason: 'TOO_FEW_ROWS',
    },
  );
