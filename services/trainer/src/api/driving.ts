/** DriveTrial: one client at a time sees what is proposed about each window of a trial, and decides. */

import {
  type Decision,
  type OuterStep,
  RunMode,
  type Study,
  type Trial,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import type {
  DriveTrialRequest,
  DriveTrialResponse,
  StudyServiceService,
} from '@glocal/proto/glocal/v1/study_service';
import { checkDecision } from '../drive/check.ts';
import type { DriveDesk } from '../drive/desk.ts';
import type { DriveFeed } from '../drive/feed.ts';
import type { Seats } from '../drive/seats.ts';
import type { EventHub } from '../events/hub.ts';
import { equalDecisions } from '../lifecycle/decisions.ts';
import type { Notices } from '../notices/notices.ts';
import type { TrialQueue } from '../queue/queue.ts';
import { FieldError, StateError, StoppingError } from '../resource/errors.ts';
import { MAX_MESSAGE_BYTES } from '../resource/message-size.ts';
import { outerStepName, parseTrialName, studyOf } from '../resource/names.ts';
import { forDriver } from '../resource/outer-step.ts';
import { hasEnded } from '../resource/states.ts';
import type { Proposal, Store } from '../store/store.ts';
import { studyOfTrial } from '../study/trial-study.ts';
import { responder, startOf, takenOver } from './conversation.ts';
import type { Methods } from './handlers.ts';

export interface DrivingParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly notices: Notices;
  readonly desk: DriveDesk;
  readonly seats: Seats;
  readonly queue: Pick<TrialQueue, 'resumeTrial'>;
  /** @throws NotFoundError */
  getStudy(name: string): Promise<Study>;
  /** @throws NotFoundError, FieldError naming `field`. */
  getTrial(name: string, field: string): Promise<Trial>;
}

/** The method behind DriveTrial. */
export function driving(parts: DrivingParts): Pick<Methods<typeof StudyServiceService>, 'driveTrial'> {
  const { store, hub, notices, desk, seats, queue } = parts;
  return {
    driveTrial: async function* (requests, call) {
      const incoming = requests[Symbol.asyncIterator]();
      const { trial: name, includeWindows } = await startOf(incoming, 'DRIVE_REQUEST');
      const study = await drivenStudy(name);
      using seat = seats.take(name, study.owner);
      using subscription = hub.subscribe(study.name);
      // What is new for the driver alone wakes it as what is stored does.
      using feed = desk.follow(name, {
        news: () => subscription.stored(),
        seated: (number) => seat.heard(number),
      });
      if (notices.shared) seat.number(await store.takeSeat(name));
      // One that was PAUSED because nobody decided; any other stays as it is.
      await queue.resumeTrial(name, 'decision', 'caller');
      const attached = await parts.getTrial(name, 'start.trial');
      yield respond('attached', attached);

      const failed = new AbortController();
      readDecisions(study, name, incoming, feed, seat.lost).catch((error: unknown) => failed.abort(error));
      const stop = AbortSignal.any([call.signal, call.stopping, seat.lost, failed.signal]);
      let told: Proposal | undefined;
      /** Outer steps that the driver knows of, where the trial trains in another process. */
      let known = attached.outerStepsDone;
      const newSteps = async (upTo: number): Promise<OuterStep[]> => {
        const here = feed.outerSteps.splice(0).filter(({ index }) => index > known);
        const last = here.at(-1)?.index ?? known;
        const elsewhere = notices.shared && upTo > last ? await stepsAfter(name, last, upTo) : [];
        known = elsewhere.at(-1)?.index ?? last;
        return [...here, ...elsewhere];
      };
      for (;;) {
        const changed = subscription.takeStored();
        subscription.takeProgress();
        failed.signal.throwIfAborted();
        if (seat.lost.aborted) throw takenOver(`drives ${name}`);
        for (const outerStep of [...feed.answers.splice(0), ...(await newSteps(0))]) {
          yield respond('outerStep', forDriver(outerStep, false));
        }
        const proposal = await desk.proposalOf(name);
        if (proposal !== undefined && proposal !== told) {
          told = proposal;
          const { outerStep, deadline, givesUp } = proposal;
          for (const before of await newSteps(outerStep.index - 1)) {
            yield respond('outerStep', forDriver(before, false));
          }
          yield respond('proposal', { outerStep: forDriver(outerStep, includeWindows), deadline, givesUp });
        }
        if (changed) {
          const trial = await parts.getTrial(name, 'start.trial');
          for (const outerStep of await newSteps(trial.outerStepsDone)) {
            yield respond('outerStep', forDriver(outerStep, false));
          }
          if (isOver(trial)) return yield respond('ended', trial);
        }
        if (call.stopping.aborted) throw new StoppingError();
        if (call.signal.aborted) return;
        await subscription.news(stop);
      }
    },
  };

  /** Of a trial, as events have them. @param upTo the last. */
  async function stepsAfter(name: string, after: number, upTo: number): Promise<OuterStep[]> {
    const page = { limit: upTo - after, maxBytes: MAX_MESSAGE_BYTES };
    const { records, more } = await store.listOuterSteps(name, { after, ...page });
    const last = records.at(-1)?.index;
    return more && last !== undefined && last < upTo
      ? [...records, ...(await stepsAfter(name, last, upTo))]
      : records;
  }

  /** As the trial sees it. @throws FieldError, NotFoundError, StateError unless it is DRIVEN. */
  async function drivenStudy(name: string): Promise<Study> {
    const trial = await parts.getTrial(name, 'start.trial');
    const study = await parts.getStudy(studyOf(name));
    if (study.mode !== RunMode.DRIVEN) {
      throw new StateError(`${study.name} is not DRIVEN: no client decides about its windows`);
    }
    return studyOfTrial(study, trial);
  }

  async function readDecisions(
    study: Study,
    name: string,
    incoming: AsyncIterator<DriveTrialRequest>,
    { answers, listener }: Pick<DriveFeed, 'answers' | 'listener'>,
    lost: AbortSignal,
  ): Promise<void> {
    for (;;) {
      const { value, done } = await incoming.next();
      // Who has lost the trial decides nothing any more.
      if (done || lost.aborted) return;
      const { request } = value as DriveTrialRequest;
      if (request?.$case !== 'decision') {
        throw FieldError.of('DRIVE_REQUEST', request?.$case ?? 'decision', 'only decisions come after start');
      }
      const settled = await decide(study, name, request.value);
      if (settled === undefined) continue;
      answers.push(settled);
      listener.news();
    }
  }

  /**
   * Stores a decision, from when on it counts, and passes it on.
   * @returns the outer step when that was made by the same decision before.
   */
  async function decide(study: Study, name: string, decision: Decision): Promise<OuterStep | undefined> {
    const { outerStep: index } = decision;
    const proposal = await desk.proposalOf(name);
    if (proposal?.outerStep.index !== index) return repeated(name, decision, proposal);
    checkDecision(study, proposal, decision);
    await store.addDecision(name, decision);
    desk.decided(name, decision);
    hub.changed(study.name);
    return undefined;
  }

  /** A decision that was made before may come again; another one comes too late or too early. */
  async function repeated(
    name: string,
    decision: Decision,
    open: Proposal | undefined,
  ): Promise<OuterStep | undefined> {
    const { outerStep: index } = decision;
    if (!(index >= 1))
      throw FieldError.of('INVALID_DECISION', 'decision.outer_step', `${index} is not above 0`);
    const earlier = await store.getDecision(name, index);
    if (earlier === undefined || !equalDecisions(earlier, decision)) {
      const isOpen = open
        ? `outer step ${open.outerStep.index} of ${name} is open`
        : `no outer step of ${name} is open`;
      const what = earlier ? 'has been decided otherwise' : 'cannot be decided about';
      throw new StateError(`${isOpen}; outer step ${index} ${what}`);
    }
    const { study, trial } = parseTrialName(name, 'start.trial');
    return store.getOuterStep(outerStepName(study, trial, index));
  }
}

const isOver = (trial: Trial): boolean => hasEnded(trial) || trial.state === TrialState.PAUSED;

const respond = responder<NonNullable<DriveTrialResponse['response']>>();
