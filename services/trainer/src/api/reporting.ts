/** ReportHypergradients: one client at a time trains a trial, and is told how its hyperparameters move. */

import { RunMode, type Study, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import type {
  ReportHypergradientsRequest,
  ReportHypergradientsResponse,
  StudyServiceService,
} from '@glocal/proto/glocal/v1/study_service';
import { status } from '@grpc/grpc-js';
import { DmdError } from '../dmd/errors.ts';
import type { Seat, Seats } from '../drive/seats.ts';
import type { EventHub } from '../events/hub.ts';
import { WindowRoom } from '../external/room.ts';
import {
  type ExternalParts,
  ExternalTrial,
  type Outcome,
  type Taken,
  windowBytes,
} from '../external/trial.ts';
import { ReportedOtherwiseError } from '../external/window.ts';
import { unlessAborted } from '../resource/abort.ts';
import { asExternal } from '../resource/complete-study.ts';
import { FieldError, NotFoundError, StateError, StoppingError } from '../resource/errors.ts';
import { studyOf } from '../resource/names.ts';
import { hasEnded, trialStateName } from '../resource/states.ts';
import { StaleEpochError } from '../store/errors.ts';
import { isLost } from '../store/lost.ts';
import type { Store } from '../store/store.ts';
import type { TraceContext } from '../tracing/tracing.ts';
import type { Call } from './call.ts';
import { responder, startOf, takenOver } from './conversation.ts';
import { ApiError } from './errors.ts';
import type { Methods } from './handlers.ts';
import { forClient } from './outer-step-parts.ts';

/** Of all windows that are being reported, as a client sent them and as they are analyzed. */
const MAX_WINDOW_BYTES = 1024 ** 3;

export interface ReportingParts extends ExternalParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly seats: Seats;
  /** @throws NotFoundError, FieldError naming `field`. */
  getStudy(name: string, field: string): Promise<Study>;
  /** @throws NotFoundError, FieldError naming `field`. */
  getTrial(name: string, field: string): Promise<Trial>;
}

/** The method behind ReportHypergradients. */
export function reporting(
  parts: ReportingParts,
): Pick<Methods<typeof StudyServiceService>, 'reportHypergradients'> {
  const { store, hub, seats } = parts;
  const room = new WindowRoom(MAX_WINDOW_BYTES);

  return {
    reportHypergradients: async function* (requests, call) {
      const incoming = requests[Symbol.asyncIterator]();
      const { trial: name } = await startOf(incoming, 'REPORT');
      const { trial: before, owner, windowBytes } = await externalTrial(name);
      if (hasEnded(before)) return yield respond('ended', before);
      using seat = seats.take(name, owner);
      using _room = room.take(windowBytes);
      using watch = watchTrial(name, call, seat);
      try {
        yield* exchange(name, incoming, watch, call.span?.context);
      } catch (error) {
        const trial = await overTrial(error, name, call, seat);
        yield respond('ended', trial);
      }
    },
  };

  /** Reports in, answers out, until the trial has ended or the client has sent its last. */
  async function* exchange(
    name: string,
    incoming: AsyncIterator<ReportHypergradientsRequest>,
    { stop, toldOf, seat, begin }: Watch,
    trace: TraceContext | undefined,
  ): AsyncGenerator<ReportHypergradientsResponse> {
    using trial = await ExternalTrial.open({ ...parts, trace }, name);
    seat.number(trial.epoch);
    toldOf();
    begin();
    yield respond('position', trial.position);
    for await (const outcome of outcomesOf(trial, incoming, stop)) {
      if ('position' in outcome) yield respond('position', outcome.position);
      else {
        toldOf();
        yield respond('outerStep', forClient(outcome.outerStep));
        if (outcome.ended !== undefined) return yield respond('ended', outcome.ended);
      }
    }
  }

  /** @throws FieldError, NotFoundError, StateError unless the trial's study is EXTERNAL. */
  async function externalTrial(name: string): Promise<{ trial: Trial; owner: string; windowBytes: number }> {
    const trial = await parts.getTrial(name, 'start.trial');
    const study = await parts.getStudy(studyOf(name), 'start.trial');
    if (study.mode === RunMode.EXTERNAL)
      return { trial, owner: study.owner, windowBytes: windowBytes(asExternal(study)) };
    throw new StateError(`${study.name} is not EXTERNAL: the service trains it, and takes no hypergradients`);
  }

  /** Tells when the client is no longer to be listened to: gone, taken over, or the trial ended or paused. */
  function watchTrial(name: string, call: Call, seat: Seat): Watch {
    const study = studyOf(name);
    const subscription = hub.subscribe(study);
    const left = new AbortController();
    const stop = AbortSignal.any([call.signal, call.stopping, seat.lost, left.signal]);
    const watch = async () => {
      while (!stop.aborted) {
        await subscription.news(stop);
        subscription.takeProgress();
        if (!subscription.takeStored() || stop.aborted) continue;
        const trial = await store.getTrial(name);
        if (trial?.state !== TrialState.RUNNING) left.abort(new StateError(`${name} does not run any more`));
      }
    };
    return {
      stop,
      seat,
      begin: () => void watch().catch((error: unknown) => left.abort(error)),
      toldOf: () => {
        hub.changed(study);
        subscription.takeStored();
      },
      [Symbol.dispose]: () => {
        left.abort();
        subscription[Symbol.dispose]();
      },
    };
  }

  /**
   * The trial, when it has ended meanwhile, which is why the call was stopped or the store refused something.
   * @throws what the client is told otherwise.
   */
  async function overTrial(error: unknown, name: string, call: Call, seat: Seat): Promise<Trial> {
    if (seat.lost.aborted || error instanceof StaleEpochError) throw takenOver(`reports for ${name}`);
    if (call.stopping.aborted) throw new StoppingError();
    call.signal.throwIfAborted();
    if (error instanceof ReportedOtherwiseError) {
      throw new ApiError(status.ALREADY_EXISTS, 'REPORTED_OTHERWISE', error.message, { cause: error });
    }
    if (error instanceof DmdError) {
      throw new ApiError(status.FAILED_PRECONDITION, 'DMD_REFUSED', error.message, { cause: error });
    }
    if (!isLost(error)) throw error;
    const trial = await store.getTrial(name);
    if (trial === undefined) throw new NotFoundError(name);
    if (hasEnded(trial)) return trial;
    if (trial.state === TrialState.RUNNING) throw error;
    throw new StateError(`${name} is ${trialStateName(trial.state)}: ${trial.stateReason}`);
  }
}

/**
 * What comes of a trial's reports, in their order. They are taken while those before them are being stored, so that what waits
 * together is stored together.
 */
async function* outcomesOf(
  trial: ExternalTrial,
  incoming: AsyncIterator<ReportHypergradientsRequest>,
  stop: AbortSignal,
): AsyncGenerator<Outcome> {
  if (trial.isDue) yield await trial.decide(stop);
  const waiting: Promise<Outcome>[] = [];
  let next = incoming.next();
  for (;;) {
    const [oldest] = waiting;
    const stored = oldest === undefined ? [] : [oldest.then(() => undefined)];
    const request = await unlessAborted(Promise.race([...stored, next]), stop);
    if (request === undefined) {
      yield await (waiting.shift() as Promise<Outcome>);
      continue;
    }
    if (request.done) break;
    const { outcome, goesOn } = takenBy(trial, request.value, stop);
    // Whoever takes it off the queue is told of its failure.
    outcome.catch(() => {});
    waiting.push(outcome);
    while (!goesOn && waiting.length > 0) yield await (waiting.shift() as Promise<Outcome>);
    next = incoming.next();
  }
  for (const outcome of waiting) yield await outcome;
}

/** What is wrong with a report is told in its turn. */
function takenBy(trial: ExternalTrial, request: ReportHypergradientsRequest, stop: AbortSignal): Taken {
  try {
    return trial.report(reportOf(request), stop);
  } catch (error) {
    return { outcome: Promise.reject(error), goesOn: false };
  }
}

interface Watch extends Disposable {
  readonly stop: AbortSignal;
  readonly seat: Seat;
  /** The trial runs: from now on it is to be looked at. Before, what is told of late, as its creation by another server, says nothing. */
  begin(): void;
  /** What was stored last is our own doing: others are told. */
  toldOf(): void;
}

/** @throws FieldError unless the message is a report. */
function reportOf({ request }: ReportHypergradientsRequest) {
  if (request?.$case === 'report') return request.value;
  throw FieldError.of('REPORT', request?.$case ?? 'report', 'only reports come after start');
}

const respond = responder<NonNullable<ReportHypergradientsResponse['response']>>();
