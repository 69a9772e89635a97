/** Trials: whose they are to train, what drives them, and which there are. */

import { Decision, OuterStep, Study, Trial } from '@glocal/proto/glocal/v1/study';
import { awaitDecision as awaiting, takeDecision } from '../../lifecycle/decisions.ts';
import * as transitions from '../../lifecycle/transitions.ts';
import type { AllTrialsPage, Claim, Page, PageRequest } from '../store.ts';
import { getOuterStep } from './outer-steps.ts';
import { readPage } from './pages.ts';
import { type Bytes, change, MOST, query, type Steps, type Value } from './query.ts';
import { type EncodedReports, reportsOf } from './reports.ts';
import { claimed, dropProposal, nextEpoch, putTrial, studyOf, trial as trialNamed } from './rows.ts';

/** A claimed trial in encoded records. */
export interface EncodedStartedTrial {
  readonly name: string;
  readonly epoch: number;
  readonly checkpoint: number;
  readonly study: Bytes;
  readonly trial: Bytes;
}

/** A trial whose client trains, in encoded records. */
export interface EncodedReportedTrial extends EncodedReports {
  readonly epoch: number;
  readonly study: Bytes;
  readonly trial: Bytes;
}

export function* startTrial(name: string): Steps<EncodedStartedTrial> {
  const trial = yield* trialNamed(name);
  const { checkpoint } = trial;
  const started = yield* putTrial(trial, transitions.startTrial(trial.record, new Date()));
  const epoch = yield* nextEpoch(trial);
  const { record: study } = yield* studyOf(trial);
  return { name, epoch, checkpoint, study: Study.encode(study).finish(), trial: started };
}

export function* startReporting(name: string): Steps<EncodedReportedTrial> {
  const trial = yield* trialNamed(name);
  const reported = transitions.startReporting(trial.record, new Date());
  const epoch = yield* nextEpoch(trial);
  const { record: study } = yield* studyOf(trial);
  return {
    epoch,
    study: Study.encode(study).finish(),
    trial:
      reported === trial.record
        ? Trial.encode(reported).finish()
        : yield* putTrial({ ...trial, epoch }, reported),
    ...(yield* reportsOf(trial.id, trial.record.outerStepsDone + 1)),
  };
}

export function* describeRuntime(claim: Claim, runtime: transitions.Runtime): Steps<Bytes> {
  const trial = yield* claimed(claim);
  return yield* putTrial(trial, transitions.describeRuntime(trial.record, runtime));
}

export function* awaitDecision(claim: Claim, outerStep: number): Steps<Bytes> {
  const trial = yield* claimed(claim);
  return yield* putTrial(trial, awaiting(trial.record, trial.decision, outerStep));
}

export function* addDecision(name: string, decision: Bytes): Steps<Bytes> {
  const trial = yield* trialNamed(name);
  const decided = takeDecision(trial.record, trial.decision, Decision.decode(decision));
  yield change('UPDATE trials SET decision = ? WHERE id = ?', decision, trial.id);
  yield dropProposal(trial.id);
  return decided === trial.record ? Trial.encode(decided).finish() : yield* putTrial(trial, decided);
}

export function* getDecision(trial: string, outerStep: number): Steps<Bytes | undefined> {
  const stored = yield* getOuterStep(trial, outerStep);
  if (stored !== undefined) {
    const decision = OuterStep.decode(stored.record).update?.decision;
    return decision && Decision.encode(decision).finish();
  }
  const [row] = yield query('SELECT decision FROM trials WHERE name = ?', trial);
  const record = row?.decision as Bytes | null | undefined;
  return record && Decision.decode(record).outerStep === outerStep ? record : undefined;
}

export function* getTrial(name: string): Steps<Bytes | undefined> {
  const [row] = yield query('SELECT record FROM trials WHERE name = ?', name);
  return row?.record as Bytes | undefined;
}

export function* listTrials(study: string, page: PageRequest<number>): Steps<Page<Bytes>> {
  const where = 'study = (SELECT id FROM studies WHERE name = ?) AND number > ?';
  return yield* readPage({ table: 'trials', where, by: ['number'] }, [study, page.after ?? -1], page);
}

/** Newest study first. A study that was deleted meanwhile still says where a page begins. */
export function* listAllTrials({ owner, after, ...page }: AllTrialsPage): Steps<Page<Bytes>> {
  const { study, trial } = after ?? { study: null, trial: -1 };
  const last = `coalesce(
    (SELECT id FROM studies WHERE name = ?), (SELECT id FROM deleted_studies WHERE name = ?), ${MOST})`;
  const key: Value[] = [study, study, study, study, trial];
  const owned = owner === undefined ? '' : 'AND owner = ?';
  if (owner !== undefined) key.push(owner);
  // The first condition is the range of the index that the second cannot give. Trials of a study that is deleted go after it.
  const where = `study <= ${last} AND (study < ${last} OR number > ?)
    AND EXISTS (SELECT 1 FROM studies WHERE studies.id = trials.study ${owned})`;
  return yield* readPage({ table: 'trials', where, by: ['study DESC', 'number'] }, key, page);
}
