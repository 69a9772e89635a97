/** What happens to a study, as `study.watch()` tells it. */

import type * as proto from '@glocal/proto/glocal/v1/study_service';
import { decodeSnapshot, type StudySnapshot } from './snapshot.ts';
import type { ParameterMap } from './space.ts';
import { decodeOuterStep, decodeTrial, type OuterStep, type Trial } from './trial.ts';

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

/** An outer step was finished and stored. Its window comes without rows. */
export interface OuterStepEvent<P extends ParameterMap = ParameterMap> extends EventBase, OuterStep<P> {
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

/** Something that happened to a study; `type` tells what. */
export type StudyEvent<P extends ParameterMap = ParameterMap> =
  | StudyStateEvent<P>
  | TrialEvent<P>
  | OuterStepEvent<P>
  | ProgressEvent;

/** Undefined for a kind of event that only a newer SDK knows. */
export function decodeEvent<P extends ParameterMap>(message: proto.StudyEvent): StudyEvent<P> | undefined {
  const { cursor, time = new Date(), event } = message;
  switch (event?.$case) {
    case 'study':
      return { type: 'study', cursor, time, ...decodeSnapshot<P>(event.value) };
    case 'trial':
      return { type: 'trial', cursor, time, ...decodeTrial<P>(event.value) };
    case 'outerStep':
      return { type: 'outerStep', cursor, time, ...decodeOuterStep<P>(event.value) };
    case 'progress':
      return { type: 'progress', cursor, time, ...event.value };
    case 'snapshot':
    case undefined:
      return undefined;
  }
}
