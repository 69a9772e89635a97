/** A study as it was at one moment. */

import type * as proto from '@glocal/proto/glocal/v1/study';
import { type StudyState, studyStateName } from './enums.ts';
import type { ParameterMap } from './space.ts';
import type { CompleteStudySpec } from './spec.ts';
import { decodeSpec } from './spec-codec.ts';

/** A study as it was at one moment: what it is to do, and its state. */
export interface StudySnapshot<P extends ParameterMap = ParameterMap> extends CompleteStudySpec<P> {
  /** `studies/{study}` */
  readonly name: string;
  readonly state: StudyState;
  /** Why it is in this state, in one sentence. */
  readonly stateReason: string;
  /** Predicted cost of a trial in plain runs, of the costliest where they differ; 0 with `external`. */
  readonly predictedCost: number;
  /** Who made it; empty where the server does not ask who its callers are. */
  readonly owner: string;
  readonly createTime: Date;
  /** When state or reason last changed. */
  readonly updateTime: Date;
}

export function decodeSnapshot<P extends ParameterMap>(study: proto.Study): StudySnapshot<P> {
  const createTime = study.createTime ?? new Date(0);
  return {
    name: study.name,
    ...decodeSpec<P>(study),
    state: studyStateName(study.state),
    stateReason: study.stateReason,
    predictedCost: study.predictedCost,
    owner: study.owner,
    createTime,
    updateTime: study.updateTime ?? createTime,
  };
}

const ENDED: ReadonlySet<StudyState> = new Set(['COMPLETED', 'CANCELLED', 'FAILED']);

/** Whether nothing more will happen in this state. */
export const hasEnded = (state: StudyState): boolean => ENDED.has(state);
