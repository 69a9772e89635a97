/** A client's own training loop, step by step: which steps need a hypergradient, and the values to train with. */

import { outerStepIndex as stepIndex } from './check/calls.ts';
import { check } from './check/rule.ts';
import { counted } from './counted.ts';
import { type Deferred, deferred } from './deferred.ts';
import { GlocalError } from './error.ts';
import { ExternalWindows } from './external-windows.ts';
import type { ReportFigures, ReportOptions, ReportSession } from './report-session.ts';
import type { Row } from './row.ts';
import type { ParameterMap } from './space.ts';
import type { Values } from './space-values.ts';
import type { Study } from './study.ts';
import type { SentOuterStep, Trial } from './trial.ts';

/** What a step has to tell, until it is stored. */
interface Told<P extends ParameterMap> {
  /** Undefined where only figures are told. */
  readonly row: Row | undefined;
  readonly figures: ReportFigures;
  readonly stored: Deferred<SentOuterStep<P> | undefined>;
}

/** A client's own training loop (`client.external()`). Steps are counted from 0. */
export class ExternalLoop<P extends ParameterMap = ParameterMap> implements AsyncDisposable {
  /** The study that the loop belongs to. */
  readonly study: Study<P>;
  readonly #session: ReportSession<P>;
  readonly #windows: ExternalWindows;
  /** Index of the outer step that is trained, and inner steps done before its window. */
  #window: { readonly outerStep: number; readonly start: number };
  #next: number;
  #told: Told<P>[] = [];
  #sending: Promise<void> | undefined;

  /** @internal */
  private constructor(study: Study<P>, session: ReportSession<P>, stepsDone: number) {
    this.study = study;
    this.#session = session;
    this.#windows = new ExternalWindows(study.method);
    this.#window = { outerStep: session.position.outerStep, start: stepsDone };
    this.#next = this.#firstMissing;
  }

  /** @internal */
  static async open<P extends ParameterMap>(
    study: Study<P>,
    options: ReportOptions,
  ): Promise<ExternalLoop<P>> {
    const { trial, signal } = options;
    const session = await study.report(options);
    try {
      // A window that was complete when its client left is decided as soon as that is back.
      if (session.position.rows >= new ExternalWindows(study.method).rows) await session.rows([]);
      const { stepsDone } = session.ended ?? (await study.trial({ trial, signal }));
      return new ExternalLoop(study, session, stepsDone);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** Values to train with now, in natural units. They move when the report of a window's last step has resolved. */
  get values(): Values<P> {
    return this.#session.values;
  }

  /**
   * The step to make next. It goes back to the start of a window that is to be trained again; when all is done it is the
   * number of steps.
   */
  get nextStep(): number {
    this.#follow();
    return this.#next;
  }

  /** How many steps there are. */
  get steps(): number {
    return this.study.training.steps;
  }

  /** The trial, when it has ended: after its last step, or before it when training has diverged or the study was cancelled. */
  get ended(): Trial<P> | undefined {
    return this.#session.ended;
  }

  /** Whether a hypergradient is needed after this step. */
  wants(step: number): boolean {
    check([stepIndex, step, 'step']);
    return this.#windows.needs(step % this.#windows.length);
  }

  /**
   * Says that a step is done. Resolves when that is durable. Only the last step of a window has to be waited for, since the
   * values move there; reports that nobody waits for go out together. Steps that need no hypergradient may be left out, and
   * a step before `nextStep`, which is stored, is left aside.
   * @param hypergradient of the validation loss after this step with respect to the values, in the order of the space; left
   *   aside unless the loop {@link wants} it
   * @returns the outer step when this was the last step of its window, undefined otherwise. Where `update.rolledBack` is set
   *   the window is to be trained again: `nextStep` is its first step then
   * @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, for a hypergradient that is missing or wrong, and a step that there is not;
   *   FAILED_PRECONDITION, reason STEP_MISSING, when a step before this one has to come first; ABORTED, reason TAKEN_OVER,
   *   when another client reports now
   */
  report(
    step: number,
    hypergradient?: Row,
    figures: ReportFigures = {},
  ): Promise<SentOuterStep<P> | undefined> {
    try {
      return this.#take(step, hypergradient, figures);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Leaves the trial, which stays where it is: the same call of `client.external()` goes on from there. */
  async close(): Promise<void> {
    await this.#session.close();
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The step after the last one whose row is stored. */
  get #firstMissing(): number {
    return this.#window.start + this.#windows.stepsUntil(this.#session.position.rows);
  }

  /** Goes to the window that comes after the last outer step. */
  #follow(): void {
    const { lastOuterStep, position } = this.#session;
    const { outerStep } = position;
    if (outerStep === this.#window.outerStep || lastOuterStep?.index !== outerStep - 1) return;
    this.#window = { outerStep, start: lastOuterStep.step };
    this.#next = this.#firstMissing;
  }

  /** @throws GlocalError FAILED_PRECONDITION, reason STEP_MISSING */
  #expectTurn(step: number): void {
    const end = this.#window.start + this.#windows.length;
    for (let before = this.#next; before < Math.min(step, end); before++) {
      if (this.wants(before)) throw tooEarly(step, `step ${before} needs a hypergradient, and comes first`);
    }
    if (step >= end)
      throw tooEarly(step, `wait for the report of step ${end - 1}, after which the values move`);
  }

  /** Not an async function: the promise of a report that nobody waits for is not to be an unhandled rejection. */
  #take(
    step: number,
    hypergradient: Row | undefined,
    figures: ReportFigures,
  ): Promise<SentOuterStep<P> | undefined> {
    check([stepIndex, step, 'step']);
    this.#follow();
    if (this.ended !== undefined && step >= this.steps) throw beyond(step, this.steps);
    if (this.ended !== undefined || step < this.#next) return Promise.resolve(undefined);
    this.#expectTurn(step);
    const isWanted = this.wants(step);
    if (isWanted && hypergradient === undefined) {
      const description = `is missing; step ${step} needs one, as wants(${step}) says`;
      throw GlocalError.invalid('NOT_ENCODABLE', [{ field: 'hypergradient', description }]);
    }
    // What is wrong with it is told before others go out along with it.
    const row = isWanted ? this.#session.rowOf(hypergradient as Row, 'hypergradient') : undefined;
    this.#next = step + 1;
    if (row !== undefined) return this.#tell(row, figures);
    return Object.keys(figures).length > 0 ? this.#tell(undefined, figures) : Promise.resolve(undefined);
  }

  #tell(row: Row | undefined, figures: ReportFigures): Promise<SentOuterStep<P> | undefined> {
    const stored = deferred<SentOuterStep<P> | undefined>();
    this.#told.push({ row, figures, stored });
    this.#sending ??= this.#send();
    return stored.promise;
  }

  /** What is told while a message is on its way goes out in the next one. */
  async #send(): Promise<void> {
    // Reports that are made without waiting go together from the first on.
    await Promise.resolve();
    while (this.#told.length > 0) await this.#sendTogether(this.#told.splice(0));
    this.#sending = undefined;
  }

  async #sendTogether(told: readonly Told<P>[]): Promise<void> {
    try {
      const rows = told.flatMap(({ row }) => (row === undefined ? [] : [row]));
      const figures: ReportFigures = Object.assign({}, ...told.map((report) => report.figures));
      const outerStep = await this.#session.rows(rows, figures);
      // That the trial has ended comes after its last outer step: there is nothing more to take.
      if (outerStep?.step === this.steps) await this.#session.rows([]);
      for (const { stored } of told.slice(0, -1)) stored.resolve(undefined);
      told.at(-1)?.stored.resolve(outerStep);
    } catch (error) {
      // What was told after it would be out of turn.
      const refused = [...told, ...this.#told.splice(0)];
      this.#next = this.#firstMissing;
      for (const { stored } of refused) stored.reject(error);
    }
  }
}

const beyond = (step: number, steps: number): GlocalError =>
  GlocalError.invalid('NOT_ENCODABLE', [
    { field: 'step', description: `${step} is none of the ${counted(steps, 'step')}, which begin with 0` },
  ]);

const tooEarly = (step: number, why: string): GlocalError =>
  new GlocalError('FAILED_PRECONDITION', `step ${step} cannot be reported now: ${why}`, {
    reason: 'STEP_MISSING',
  });
