/**
 * What must survive: studies, trials, outer steps, and the events that tell of them.
 *
 * Every mutation is durable when its promise resolves, and stores its event in the same transaction. One contract test
 * suite (`store-contract.ts`) runs against every implementation.
 */

import type { OuterStep, Study, Trial } from '@glocal/proto/glocal/v1/study';
import type { StudyEvent } from '@glocal/proto/glocal/v1/study_service';

/** A stored event; `sequence` rises by study, starting with 1. */
export interface StoredEvent {
  readonly sequence: number;
  readonly event: StudyEvent;
}

/** A new study with its trials, or the one that the same request made before. */
export interface CreateResult {
  readonly study: Study;
  readonly created: boolean;
}

export interface Store {
  /**
   * Stores a study with its trials.
   *
   * With a `requestId` seen before: returns the study of then when `specification` is byte for byte the same.
   * @throws RequestIdReusedError when it is not.
   * @throws ActiveStudiesError when `maxActiveStudies` are ACTIVE already and this is a new one.
   */
  createStudy(request: {
    study: Study;
    trials: readonly Trial[];
    requestId: string;
    specification: Uint8Array;
    maxActiveStudies: number;
  }): Promise<CreateResult>;
  getStudy(name: string): Promise<Study | undefined>;
  /** Newest first; `after` is the name of the last study of the previous page. */
  listStudies(limit: number, after?: string): Promise<Study[]>;
  /** Those that are ACTIVE, oldest first. */
  listActiveStudies(): Promise<Study[]>;
  /** Replaces a study, with an event. */
  updateStudy(study: Study): Promise<void>;
  getTrial(name: string): Promise<Trial | undefined>;
  /** In the order of creation; all of them, at most 64. */
  listTrials(study: string): Promise<Trial[]>;
  /** Trials of every study that have not ended. */
  listUnfinishedTrials(): Promise<Trial[]>;
  /** Replaces a trial, with an event. */
  updateTrial(trial: Trial): Promise<void>;
  /**
   * Appends an outer step and replaces its trial, with an event for the step.
   * @throws StoreError when the trial has that step already.
   */
  addOuterStep(trial: Trial, outerStep: OuterStep): Promise<void>;
  getOuterStep(name: string): Promise<OuterStep | undefined>;
  /** Oldest first, those with an index above `after`; rows of the windows only with `windows`. */
  listOuterSteps(
    trial: string,
    options: { limit: number; after: number; windows: boolean },
  ): Promise<OuterStep[]>;
  /** Oldest first, those with a sequence above `after`. */
  listEvents(study: string, after: number, limit: number): Promise<StoredEvent[]>;
  close(): Promise<void>;
}

/** The store could not do what was asked; the message says why. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
}

/** A request id was used before for another study. */
export class RequestIdReusedError extends StoreError {
  override readonly name = 'RequestIdReusedError';
}

/** As many studies are ACTIVE as may be. */
export class ActiveStudiesError extends StoreError {
  override readonly name = 'ActiveStudiesError';
}
