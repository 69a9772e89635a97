/** What happens to a study, as `study.watch()` tells it. */

import type * as proto from '@glocal/proto/glocal/v1/study_service';
import { decodeSnapshot, type StudySnapshot } from './snapshot.ts';
import type { ParameterMap, Space } from './space.ts';
import type { Choices } from './space-values.ts';
import { decodeSentOuterStep, decodeTrial, type SentOuterStep, type Trial, trialOf } from './trial.ts';

interface EventBase {
  /** Position after this event: `watch({ cursor })` goes on from here. */
  readonly cursor: string;
  readonly time: Date;
}

/** The study was created or changed its state. */
export interface StudyStateEvent<P extends ParameterMap = ParameterMap> extends EventBase, StudySnapshot<P> {
  readonly type: 'study';
}

/** A trial changed its state. */
export interface TrialEvent<P extends ParameterMap = ParameterMap> extends EventBase, Trial<P> {
  readonly type: 'trial';
}

/** An outer step was finished and stored. Its window comes without rows; one that is very large without its vectors. */
export interface OuterStepEvent<P extends ParameterMap = ParameterMap> extends EventBase, SentOuterStep<P> {
  readonly type: 'outerStep';
}

/** How far a running trial is. Not stored: it comes a few times a second while one watches. */
export interface ProgressEvent extends EventBase {
  readonly type: 'progress';
  /** `studies/{study}/trials/{trial}` */
  readonly trial: string;
  /** Inner steps done. */
  readonly stepsDone: number;
  /** Inner steps in all. */
  readonly steps: number;
}

/** The study as it is now, in place of events that a slow watcher has not read (`watch({ maxLag })`). */
export interface SnapshotEvent<P extends ParameterMap = ParameterMap> extends EventBase {
  readonly type: 'snapshot';
  readonly study: StudySnapshot<P>;
  /** Its trials, as many as a message has room for; `study.trials()` has all. */
  readonly trials: readonly Trial<P>[];
  /** Number of events that it stands for. Outer steps among them can be read with `study.outerSteps()`. */
  readonly missedEvents: number;
}

/** Something that happened to a study; `type` tells what. */
export type StudyEvent<P extends ParameterMap = ParameterMap> =
  | StudyStateEvent<P>
  | TrialEvent<P>
  | OuterStepEvent<P>
  | ProgressEvent
  | SnapshotEvent<P>;

/**
 * Undefined for a kind of event that only a newer SDK knows.
 * @param space of the study
 * @param choices of its trials, by their names
 */
export function decodeEvent<P extends ParameterMap>(
  message: proto.StudyEvent,
  space: Space<P>,
  choices: ReadonlyMap<string, Choices>,
): StudyEvent<P> | undefined {
  const { cursor, time = new Date(), event } = message;
  switch (event?.$case) {
    case 'study':
      return { type: 'study', cursor, time, ...decodeSnapshot<P>(event.value) };
    case 'trial':
      return { type: 'trial', cursor, time, ...decodeTrial(event.value, space) };
    case 'outerStep': {
      const ofTrial = { space, choices: choices.get(trialOf(event.value)) ?? {} };
      return { type: 'outerStep', cursor, time, ...decodeSentOuterStep<P>(event.value, ofTrial) };
    }
    case 'progress':
      return { type: 'progress', cursor, time, ...event.value };
    case 'snapshot': {
      const { study, trials, missedEvents } = event.value;
      // The contract has a study in every snapshot.
      if (study === undefined) return undefined;
      return {
        type: 'snapshot',
        cursor,
        time,
        study: decodeSnapshot<P>(study),
        trials: trials.map((trial) => decodeTrial(trial, space)),
        missedEvents,
      };
    }
    case undefined:
      return undefined;
  }
}
