/** All that a store can be asked to do with its database, each as one transaction in encoded records, by its name. */

import * as artifacts from './artifacts.ts';
import * as claims from './claims.ts';
import { countStates } from './counts.ts';
import * as creations from './creations.ts';
import * as drives from './drives.ts';
import * as lifecycle from './lifecycle.ts';
import * as outerSteps from './outer-steps.ts';
import type { Steps } from './query.ts';
import * as reports from './reports.ts';
import * as studies from './studies.ts';
import * as trials from './trials.ts';

const READS = {
  countStates,
  getDeleted: lifecycle.getDeleted,
  listPausedTrials: lifecycle.listPausedTrials,
  getStudy: studies.getStudy,
  getSnapshot: studies.getSnapshot,
  lastSequence: studies.lastSequence,
  lastSequences: studies.lastSequences,
  listStudies: studies.listStudies,
  listExpired: studies.listExpired,
  getTrial: trials.getTrial,
  getDecision: trials.getDecision,
  getProposal: drives.getProposal,
  getDriving: drives.getDriving,
  listTrials: trials.listTrials,
  listAllTrials: trials.listAllTrials,
  listLostTrials: claims.listLostTrials,
  getOuterStep: outerSteps.getOuterStep,
  listOuterSteps: outerSteps.listOuterSteps,
  listOuterStepEpochs: outerSteps.listOuterStepEpochs,
  listEvents: outerSteps.listEvents,
  getArtifact: artifacts.getArtifact,
  listArtifacts: artifacts.listArtifacts,
  artifactBytes: artifacts.artifactBytes,
  deletedArtifactOwner: artifacts.deletedArtifactOwner,
};

const WRITES = {
  createStudy: creations.createStudy,
  cancelStudy: lifecycle.cancelStudy,
  pauseStudy: lifecycle.pauseStudy,
  resumeStudy: lifecycle.resumeStudy,
  deleteStudy: lifecycle.deleteStudy,
  startTrial: trials.startTrial,
  claimTrial: claims.claimTrial,
  renewLease: claims.renewLease,
  takeFromLost: claims.takeFromLost,
  describeRuntime: trials.describeRuntime,
  awaitDecision: trials.awaitDecision,
  addDecision: trials.addDecision,
  propose: drives.propose,
  takeSeat: drives.takeSeat,
  addOuterStep: outerSteps.addOuterStep,
  interruptTrial: lifecycle.interruptTrial,
  pauseTrial: lifecycle.pauseTrial,
  resumeTrial: lifecycle.resumeTrial,
  endTrial: lifecycle.endTrial,
  startReporting: trials.startReporting,
  addReports: reports.addReports,
  closeWindow: reports.closeWindow,
  createArtifact: artifacts.createArtifact,
  deleteArtifact: artifacts.deleteArtifact,
};

export const METHODS = { ...READS, ...WRITES };

type Methods = typeof METHODS;
export type Method = keyof Methods;
export type Arguments<M extends Method> = Parameters<Methods[M]>;
export type Result<M extends Method> = ReturnType<Methods[M]> extends Steps<infer T> ? T : never;

export const isWrite = (method: Method): method is keyof typeof WRITES => Object.hasOwn(WRITES, method);

/** The transaction that a method is. */
export const stepsOf = (method: Method, args: readonly unknown[]): Steps<unknown> =>
  (METHODS[method] as (...args: readonly unknown[]) => Steps<unknown>)(...args);

/** Makes the transactions that methods are, in a database of some kind. */
export interface Connection {
  /** @throws StoreUnavailableError when it cannot be made for now. */
  call<M extends Method>(method: M, ...args: Arguments<M>): Promise<Result<M>>;
  /**
   * Writes something, and takes it away again.
   * @throws StoreUnavailableError when that cannot be done for now.
   */
  probe(): Promise<void>;
  /** Resolves when every call has been answered and the database is let go. */
  close(): Promise<void>;
}
