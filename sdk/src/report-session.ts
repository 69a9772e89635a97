/** Reporting for a trial of an external study: the client trains, the service says how its hyperparameters move. */

import type { OuterStep as OuterStepMessage, Trial as TrialMessage } from '@glocal/proto/glocal/v1/study';
import type {
  ReportPosition as PositionMessage,
  ReportHypergradientsResponse,
} from '@glocal/proto/glocal/v1/study_service';
import { reportFigures } from './check/decisions.ts';
import { check } from './check/rule.ts';
import { Conversation, type Participant } from './conversation.ts';
import { type Deferred, deferred } from './deferred.ts';
import { CancelledError } from './error.ts';
import { encodeStart, type Given, REPORT, reportsFrom } from './external-rows.ts';
import type { CallOptions } from './options.ts';
import { readOuterStep } from './outer-step-parts.ts';
import type { ReconnectOptions } from './reconnect.ts';
import { asRow, asRows, ofSpace, type Row, type RowShape } from './row.ts';
import type { ParameterMap } from './space.ts';
import type { Values } from './space-values.ts';
import type { Transport } from './transport.ts';
import {
  decodeSentOuterStep,
  decodeTrial,
  decodeValues,
  type Evaluation,
  type SentOuterStep,
  type Trial,
  type TrialSpace,
} from './trial.ts';
import { parametersAt } from './trial-space.ts';

/** Options of `study.report()`. */
export interface ReportOptions extends ReconnectOptions {
  /** Its position among the study's trials, or its name. @default 0 */
  readonly trial?: number | string | undefined;
}

/** What a client knows of its training beside the hypergradients. */
export interface ReportFigures {
  /** Mean training loss of the outer step so far. One that is not finite says that training has diverged. */
  readonly trainLoss?: number | undefined;
  /** Their loss lets the service take back what made it rise. */
  readonly validation?: (Pick<Evaluation, 'loss'> & Partial<Evaluation>) | undefined;
}

/** Where an external trial is. */
export interface ReportPosition {
  /** Index of the outer step whose rows come next. */
  readonly outerStep: number;
  /** Rows of it that are stored. */
  readonly rows: number;
}

/** Rows that have been given and not been acknowledged. */
interface Pending<P extends ParameterMap> extends Given {
  readonly stored: Deferred<SentOuterStep<P> | undefined>;
}

/** A client's end of an external trial. Lost connections are made again, and rows that were not stored sent again. */
export class ReportSession<P extends ParameterMap = ParameterMap> implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #trial: string;
  readonly #known: TrialSpace;
  readonly #metadata: CallOptions['metadata'];
  readonly #conversation: Conversation<Buffer, ReportHypergradientsResponse>;
  readonly #opened = deferred<void>();
  #stored: Stored = { outerStep: 0, rows: 0, components: 0 };
  #values = {} as Values<P>;
  #lastOuterStep: SentOuterStep<P> | undefined;
  #ended: Trial<P> | undefined;
  #over: { readonly error: unknown } | undefined;
  #pending: Pending<P> | undefined;
  /** Whether the first answer of a connection is still to come. */
  #fresh = true;
  /** The call before: rows are taken in the order in which they were given. */
  #before: Promise<unknown> = Promise.resolve();

  /** @internal */
  private constructor(transport: Transport, trial: string, known: TrialSpace, options: ReconnectOptions) {
    this.#transport = transport;
    this.#trial = trial;
    this.#known = known;
    this.#metadata = options.metadata;
    this.#conversation = new Conversation(transport, REPORT, this.#participant(), options);
  }

  /** @internal */
  static async open<P extends ParameterMap>(
    transport: Transport,
    trial: string,
    known: TrialSpace,
    options: ReconnectOptions,
  ): Promise<ReportSession<P>> {
    const session = new ReportSession<P>(transport, trial, known, options);
    await session.#opened.promise;
    return session;
  }

  /** Where the trial is: what training does next belongs to this outer step. */
  get position(): ReportPosition {
    const { outerStep, rows } = this.#stored;
    return { outerStep, rows };
  }

  /** The newest outer step that this session was told of. */
  get lastOuterStep(): SentOuterStep<P> | undefined {
    return this.#lastOuterStep;
  }

  /** Values to train with now, which stay the same until a window is complete; those that were found when the trial has ended. */
  get values(): Values<P> {
    return this.#values;
  }

  /** The trial, when it has ended. */
  get ended(): Trial<P> | undefined {
    return this.#ended;
  }

  /**
   * Reports the next rows of the window. Resolves when they are stored: to the outer step when they complete the window,
   * after which `values` are those to go on with; to undefined otherwise, and when the trial has ended.
   * @throws GlocalError ALREADY_EXISTS when other rows were stored in their place; ABORTED, reason TAKEN_OVER, when another
   *   client reports now.
   */
  rows(rows: readonly Row[], figures: ReportFigures = {}): Promise<SentOuterStep<P> | undefined> {
    const report = this.#before.then(() => this.#report(rows, figures));
    this.#before = report.catch(() => {});
    return report;
  }

  /**
   * The row as it is sent.
   * @throws GlocalError INVALID_ARGUMENT for one that is not of the space
   * @internal
   */
  rowOf(row: Row, field: string): Float64Array {
    return asRow(row, shapeOf(this.#known), field);
  }

  /** Leaves the trial, which stays where it is; another session goes on from there. */
  async close(): Promise<void> {
    await this.#conversation.leave();
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #report(rows: readonly Row[], figures: ReportFigures): Promise<SentOuterStep<P> | undefined> {
    check([reportFigures, figures, 'figures']);
    if (this.#ended !== undefined) return undefined;
    if (this.#over !== undefined) throw this.#over.error;
    const { outerStep, rows: firstRow } = this.#stored;
    const stored = deferred<SentOuterStep<P> | undefined>();
    this.#pending = { outerStep, firstRow, rows: asRows(rows, shapeOf(this.#known)), figures, stored };
    await this.#send(this.#pending);
    return stored.promise;
  }

  async #send(pending: Pending<P>): Promise<void> {
    for (const report of reportsFrom(pending, this.#stored)) {
      if (this.#pending !== pending) return;
      await this.#conversation.send(report);
    }
  }

  #participant(): Participant<Buffer, ReportHypergradientsResponse> {
    return {
      start: () => {
        this.#fresh = true;
        return encodeStart(this.#trial);
      },
      take: ({ response }) => {
        switch (response?.$case) {
          case 'position':
            return this.#takePosition(response.value);
          case 'outerStep':
            return this.#takeOuterStep(response.value);
          case 'ended':
            return this.#takeEnd(response.value);
          case undefined:
            return false;
        }
      },
      refused: (error) => {
        const pending = this.#pending;
        this.#pending = undefined;
        pending?.stored.reject(error);
        return pending !== undefined;
      },
      over: (error) => {
        const reason = error ?? new CancelledError('the session was closed', { reason: 'SESSION_CLOSED' });
        this.#over = { error: reason };
        this.#pending?.stored.reject(reason);
        this.#opened.reject(reason);
      },
    };
  }

  async #takePosition({ values, ...position }: PositionMessage): Promise<boolean> {
    const fresh = this.#fresh;
    const gotOn = isAfter(position, this.#stored);
    this.#fresh = false;
    this.#stored = position;
    if (values.length > 0) this.#values = decodeValues<Values<P>>(values, this.#known);
    this.#opened.resolve();
    const pending = this.#pending;
    if (pending === undefined) return gotOn;
    if (position.outerStep > pending.outerStep) {
      await this.#settleByReading(pending);
    } else if (fresh) {
      void this.#send(pending);
    } else if (position.rows >= pending.firstRow + pending.rows.length) {
      this.#settle(undefined);
    }
    return gotOn;
  }

  async #takeEnd(trial: TrialMessage): Promise<boolean> {
    const pending = this.#pending;
    if (pending !== undefined && trial.outerStepsDone >= pending.outerStep) {
      await this.#settleByReading(pending);
    }
    this.#ended = decodeTrial(trial, this.#known.space);
    // A session that finds the trial ended is told of no position.
    if (trial.values.length > 0) this.#values = decodeValues<Values<P>>(trial.values, this.#known);
    const end = { outerStep: trial.outerStepsDone + 1, rows: 0, components: 0 };
    if (isAfter(end, this.#stored)) this.#stored = end;
    this.#settle(undefined);
    this.#opened.resolve();
    return true;
  }

  /** The window was completed, and the answer was lost. */
  async #settleByReading({ outerStep }: Pending<P>): Promise<void> {
    const name = `${this.#trial}/outerSteps/${outerStep}`;
    const step = await readOuterStep(this.#transport, name, { metadata: this.#metadata });
    this.#settle(decodeSentOuterStep<P>(step, this.#known));
  }

  #takeOuterStep(step: OuterStepMessage): boolean {
    // Of rows that were sent again.
    if (step.index < this.#stored.outerStep) return false;
    const values = decodeValues<Values<P>>(step.nextValues, this.#known);
    this.#stored = { outerStep: step.index + 1, rows: 0, components: 0 };
    this.#values = values;
    this.#settle(decodeSentOuterStep<P>(step, this.#known));
    return true;
  }

  #settle(step: SentOuterStep<P> | undefined): void {
    this.#lastOuterStep = step ?? this.#lastOuterStep;
    this.#pending?.stored.resolve(step);
    this.#pending = undefined;
  }
}

type Stored = Omit<PositionMessage, 'values'>;

const isAfter = (a: Stored, b: Stored): boolean =>
  (a.outerStep - b.outerStep || a.rows - b.rows || a.components - b.components) > 0;

/** Of a hypergradient; undefined where only the server knows how many components there are. */
function shapeOf({ space, choices }: TrialSpace): RowShape | undefined {
  let count = 0;
  for (const parameter of parametersAt(space, choices).values()) {
    if (parameter.kind === 'float') count += 1;
    else if (parameter.kind === 'vector' && parameter.size !== undefined) count += parameter.size;
    else if (parameter.kind === 'vector' || parameter.kind === 'network') return undefined;
  }
  return ofSpace(count);
}
