/** Driving a trial: after each of its windows the client decides how its hyperparameters move. */

import {
  type DriveTrialRequest,
  type DriveTrialResponse,
  type Proposal,
  StudyServiceService,
} from '@glocal/proto/glocal/v1/study_service';
import { Conversation, type Participant } from './conversation.ts';
import { asDecided, type Decision, encodeDecision } from './decision.ts';
import { type Deferred, deferred } from './deferred.ts';
import { type DrivenWindow, drivenWindow } from './driven-window.ts';
import { GlocalError } from './error.ts';
import { readOuterStep } from './outer-step-parts.ts';
import type { ReconnectOptions } from './reconnect.ts';
import type { ParameterMap } from './space.ts';
import type { Transport } from './transport.ts';
import { decodeSentOuterStep, type SentOuterStep, type TrialSpace } from './trial.ts';

/** Options of `study.drive()`. */
export interface DriveOptions extends ReconnectOptions {
  /** Its position among the study's trials, or its name. @default 0 */
  readonly trial?: number | string | undefined;
  /** Whether windows come with their rows. @default false */
  readonly includeWindows?: boolean | undefined;
}

/** Which trial is driven, with its space and choices. */
export interface Driven extends TrialSpace {
  readonly trial: string;
}

/**
 * The windows of a trial, each of which waits for a decision, until the trial has ended or is PAUSED.
 * @throws GlocalError ABORTED, reason TAKEN_OVER, when another client drives it now; FAILED_PRECONDITION, reason UNDECIDED,
 *   when the next window is asked for before the last one was decided.
 */
export async function* drive<P extends ParameterMap>(
  transport: Transport,
  driven: Driven,
  options: Omit<DriveOptions, 'trial'>,
): AsyncGenerator<DrivenWindow<P>, void, undefined> {
  const driver = new Driver<P>(transport, driven, options);
  const conversation = new Conversation(transport, StudyServiceService.driveTrial, driver, options);
  driver.speak = (request) => conversation.send(request);
  try {
    for (;;) {
      const window = await driver.next();
      if (window === undefined) return;
      yield window;
      driver.expectDecided(window);
    }
  } finally {
    await conversation.leave();
  }
}

/** A decision whose outer step has not come yet. */
interface Pending<P extends ParameterMap> {
  readonly index: number;
  readonly decision: Decision;
  readonly made: Deferred<SentOuterStep<P>>;
}

class Driver<P extends ParameterMap> implements Participant<DriveTrialRequest, DriveTrialResponse> {
  speak: (request: DriveTrialRequest) => Promise<void> = async () => {};
  readonly #transport: Transport;
  readonly #driven: Driven;
  readonly #options: Omit<DriveOptions, 'trial'>;
  /** The window that waits for a decision. */
  #open: DrivenWindow<P> | undefined;
  /** The same, until it was given out. */
  #news: DrivenWindow<P> | undefined;
  #pending: Pending<P> | undefined;
  #wake = deferred<void>();
  #ended: { readonly error: unknown } | undefined;

  constructor(transport: Transport, driven: Driven, options: Omit<DriveOptions, 'trial'>) {
    this.#transport = transport;
    this.#driven = driven;
    this.#options = options;
  }

  /** The next window; undefined when there is none. */
  async next(): Promise<DrivenWindow<P> | undefined> {
    while (this.#news === undefined && this.#ended === undefined) {
      await this.#wake.promise;
      this.#wake = deferred();
    }
    if (this.#ended?.error !== undefined) throw this.#ended.error;
    const window = this.#news;
    this.#news = undefined;
    return window;
  }

  expectDecided(window: DrivenWindow<P>): void {
    if (this.#open !== window || this.#ended !== undefined) return;
    throw new GlocalError(
      'FAILED_PRECONDITION',
      `outer step ${window.index} was not decided: call accept(), set(), step(), hold() or stop() before the next window`,
      { reason: 'UNDECIDED' },
    );
  }

  start(): DriveTrialRequest {
    const { trial } = this.#driven;
    const { includeWindows = false } = this.#options;
    return { request: { $case: 'start', value: { trial, includeWindows } } };
  }

  async take({ response }: DriveTrialResponse): Promise<boolean> {
    switch (response?.$case) {
      case 'attached':
        await this.#settleUpTo(response.value.outerStepsDone);
        return false;
      case 'proposal':
        return this.#offer(response.value);
      case 'outerStep':
        if (response.value.index !== this.#pending?.index) return false;
        this.#settle(decodeSentOuterStep<P>(response.value, this.#driven));
        return true;
      case 'ended':
        await this.#settleUpTo(response.value.outerStepsDone);
        return true;
      case undefined:
        return false;
    }
  }

  refused(error: GlocalError): boolean {
    const pending = this.#pending;
    if (pending === undefined) return false;
    this.#pending = undefined;
    pending.made.reject(asDecided(error, pending.decision));
    return true;
  }

  over(error: unknown): void {
    this.#ended = { error };
    this.#pending?.made.reject(error ?? this.#noLonger(this.#pending.index));
    this.#wake.resolve();
  }

  async #offer({ outerStep, deadline, givesUp }: Proposal): Promise<boolean> {
    if (outerStep === undefined) return false;
    const { index } = outerStep;
    await this.#settleUpTo(index - 1);
    if (this.#pending !== undefined) {
      // The connection was lost before the decision arrived, or the window had to be trained again.
      void this.#say(this.#pending);
      return false;
    }
    if (this.#open?.index === index) return false;
    const sent = decodeSentOuterStep<P>(outerStep, this.#driven);
    const window: DrivenWindow<P> = drivenWindow(sent, { deadline, givesUp }, this.#driven, (decision) =>
      this.#decide(window, decision),
    );
    this.#open = window;
    this.#news = window;
    this.#wake.resolve();
    return true;
  }

  /** Resolves when the decision is stored and its outer step made. */
  async #decide(window: DrivenWindow<P>, decision: Decision): Promise<SentOuterStep<P>> {
    const { index } = window;
    if (this.#ended !== undefined) throw this.#ended.error ?? this.#noLonger(index);
    if (this.#open !== window || this.#pending !== undefined) throw this.#noLonger(index);
    const made = deferred<SentOuterStep<P>>();
    this.#pending = { index, decision, made };
    await this.#say(this.#pending);
    return made.promise;
  }

  #say({ index, decision }: Pending<P>): Promise<void> {
    return this.speak({ request: { $case: 'decision', value: encodeDecision(index, decision) } });
  }

  /** The outer step of a decision that was stored, and whose answer was lost. */
  async #settleUpTo(outerStepsDone: number): Promise<void> {
    const { index } = this.#pending ?? {};
    if (index === undefined || index > outerStepsDone) return;
    const { metadata } = this.#options;
    const name = `${this.#driven.trial}/outerSteps/${index}`;
    const step = await readOuterStep(this.#transport, name, { metadata });
    this.#settle(decodeSentOuterStep<P>(step, this.#driven));
  }

  #settle(step: SentOuterStep<P>): void {
    this.#pending?.made.resolve(step);
    this.#pending = undefined;
    this.#open = undefined;
  }

  #noLonger(index: number): GlocalError {
    const { trial } = this.#driven;
    return new GlocalError('FAILED_PRECONDITION', `outer step ${index} of ${trial} waits for no decision`, {
      reason: 'NOT_OPEN',
    });
  }
}
