/**
 * What must survive: studies, trials, outer steps, and the events that tell of them.
 *
 * Its methods say what happens, not what to overwrite: each makes its transition (`lifecycle/transitions.ts`) in one
 * transaction with the events that tell of it, and refuses when the record is not in a state for that. So no delay and no
 * concurrent caller can change how things end. A mutation is durable when its promise resolves. One contract test suite
 * (`store-contract.ts`) runs against every implementation.
 */

import type { Decision, OuterStep, Study, StudyState, Trial } from '@glocal/proto/glocal/v1/study';
import type { Artifact, Report, StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import type { Actor } from '../lifecycle/table.ts';
import type { Interruption, Pause, PauseCause, Runtime, TrialEnding } from '../lifecycle/transitions.ts';
import type { StoreHealth } from './health.ts';

/** A new study with its trials. It belongs to its `owner`, who may be nobody. */
export interface NewStudy {
  readonly study: Study;
  readonly trials: readonly Trial[];
  /** The owner's; empty when the call is not to be repeated. */
  readonly requestId: string;
  /** Equal for requests that are the same. */
  readonly fingerprint: Uint8Array;
  readonly maxActiveStudies: number;
  /** Of the owner; absent for no limit besides that of all. */
  readonly maxOwnerActiveStudies?: number | undefined;
  /** Names of the artifacts that it names, if any. */
  readonly artifacts?: readonly string[] | undefined;
  /** Studies that may be kept in every state; without it as many as there are. */
  readonly maxStudies?: number | undefined;
}

/** A new study, or the one that the same request made before. */
export interface CreateResult {
  readonly study: Study;
  readonly created: boolean;
}

/** What of a study is to go on. */
export interface ResumeRequest {
  /** Of the study. */
  readonly name: string;
  /** Trials by their names, and the outer step whose checkpoint each goes on from; all PAUSED ones when empty. */
  readonly points: readonly {
    readonly trial: string;
    /** 0 for the newest. */
    readonly checkpoint: number;
  }[];
  readonly maxActiveStudies: number;
  /** Of the owner; absent for no limit besides that of all. */
  readonly maxOwnerActiveStudies?: number | undefined;
}

/** A study that goes on. */
export interface ResumedStudy {
  readonly study: Study;
  /** Names of the trials that wait for a worker now and did not before. */
  readonly trials: readonly string[];
}

/** What is left of a study that was deleted. */
export interface DeletedStudy {
  readonly owner: string;
}

/** Which studies that have ended need not be kept. */
export interface Expiry {
  /** Those that ended before the last so many; absent for none. */
  readonly keep?: number | undefined;
  /** Those that ended before; absent for none. */
  readonly endedBefore?: Date | undefined;
  /** At most this many. */
  readonly limit: number;
}

/** A study as it is, with the last of the events that led to it. */
export interface StudySnapshot {
  readonly study: Study;
  /** The first ones, as the page allows. */
  readonly trials: readonly Trial[];
  readonly sequence: number;
}

/** The right to train a trial. A later claim of the same trial makes it stale. */
export interface Claim {
  /** Resource name. */
  readonly trial: string;
  /** Rises with each claim. */
  readonly epoch: number;
}

/** Which trial a worker may be given. */
export interface ClaimRequest {
  /** The worker's name, which no other process that lives has. */
  readonly worker: string;
  /** Its lease of all that it has claimed ends so long after this claim. */
  readonly leaseMs: number;
  /** Names of the trials that it knows it has. */
  readonly holding: readonly string[];
  /** Names of studies whose trials it cannot train. */
  readonly except: readonly string[];
  /** Trials of one owner that may run; absent for any number. */
  readonly maxOwnerRunningTrials?: number | undefined;
}

/** A worker that lives, with all that it trains. */
export interface LeaseRequest {
  readonly worker: string;
  readonly leaseMs: number;
  readonly claims: readonly Claim[];
}

/** What has become of a claim. */
export interface HeldTrial {
  readonly trial: string;
  /** State of the trial's study; undefined when the claim is lost, because the trial has ended, waits again or is another's. */
  readonly study: StudyState | undefined;
}

/** Which running trials have nobody who trains them any more. */
export interface LostRequest {
  /** All of them: for who has the store for itself and trains nothing yet. @default false */
  readonly everyone?: boolean;
  /** So many workers may be lost with a trial, one after the other, before it is FAILED; 0 for any number. @default 0 */
  readonly maxWorkerDeaths?: number;
}

/** A running trial whose worker's lease has passed. */
export interface LostTrial {
  readonly trial: string;
  readonly worker: string;
  /** Since its worker was heard of, in milliseconds. */
  readonly silentMs: number;
}

/** Outer steps that one claim has stored, which come one after the other. */
export interface OuterStepsOfClaim {
  /** Of the claim; 0 where that is not known. */
  readonly epoch: number;
  /** Its first outer step. */
  readonly first: number;
}

/** A trial that was claimed, with what there is to know for training it. */
export interface StartedTrial {
  readonly claim: Claim;
  readonly study: Study;
  readonly trial: Trial;
  /** Outer step whose checkpoint a caller chose to go on from; 0 for the newest. */
  readonly checkpoint: number;
}

/** A trial whose client trains, with all that there is to know for going on with it. */
export interface ReportedTrial extends Omit<StartedTrial, 'checkpoint'> {
  /** As `closeWindow` was given it; undefined before the first outer step. */
  readonly state: Uint8Array | undefined;
  /** What was reported since the last outer step, in the order in which it came. */
  readonly reports: readonly KeptReport[];
}

/** A report as it is kept. */
export interface KeptReport {
  /** Its hypergradients are with respect to the coordinate phi. */
  readonly report: Report;
  /** Whether they are not, but with respect to the values: those of earlier versions. */
  readonly natural: boolean;
}

/** How a window ends. */
export interface WindowEnd {
  /**
   * How many reports were kept of it: their rows are the outer step's, before those that it has itself. 0 for none, which
   * drops them. @default 0
   */
  readonly kept?: number;
  /** Of the trial, with this window. @default none */
  readonly ending?: TrialEnding | undefined;
}

/** What the policy would do about a window, while a decision about it can be made. */
export interface Proposal {
  /** As it would be. */
  readonly outerStep: OuterStep;
  /** Whether accepting it ends the trial as INFEASIBLE. */
  readonly givesUp: boolean;
  /** Whether training can go on from the window's end. */
  readonly sound: boolean;
  /** When the trial is PAUSED unless a decision has come. */
  readonly deadline: Date;
}

/** A trial as far as its drivers are concerned. */
export interface Driving {
  /** Of the driver that came last; 0 when there has been none. */
  readonly seat: number;
  /** Of the proposal; undefined when there is none. */
  readonly deadline: Date | undefined;
}

/** A trial that has ended, and its study, which ended with it when it was the last. */
export interface EndedTrial {
  readonly study: Study;
  readonly trial: Trial;
}

/** A new artifact; its files are in place. */
export interface NewArtifact {
  readonly artifact: Artifact;
  /** Equal for the same content. */
  readonly digest: Uint8Array;
  /** What there is to know of it without its files, for whoever wrote it. */
  readonly description: string;
}

/** A new artifact, or the one with the same content of the same owner. */
export interface CreatedArtifact {
  readonly artifact: Artifact;
  readonly created: boolean;
}

export interface StoredArtifact {
  readonly artifact: Artifact;
  /** As in {@link NewArtifact}. */
  readonly description: string;
}

/** A stored event; `sequence` rises by study, starting with 1. */
export interface StoredEvent {
  readonly sequence: number;
  readonly event: StudyEvent;
}

/** Which records of a list to read. */
export interface PageRequest<Key> {
  /** Those after this one; absent for the first. */
  readonly after?: Key | undefined;
  /** At most this many. */
  readonly limit: number;
  /** Encoded records of at most this many bytes, but always one. Nothing beyond them is read. */
  readonly maxBytes?: number | undefined;
}

/** Which studies to read: those for which all of this holds. */
export interface StudyPage extends PageRequest<string> {
  /** Only what belongs to them; absent for everybody's. */
  readonly owner?: string | undefined;
  /** In one of these states; in any when empty or absent. */
  readonly states?: readonly StudyState[] | undefined;
  /** With all of these labels; an empty value stands for any. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Which trials of all studies to read; they come after one by its study's name and its number. */
export interface AllTrialsPage extends PageRequest<{ readonly study: string; readonly trial: number }> {
  /** Only of studies that belong to them; absent for everybody's. */
  readonly owner?: string | undefined;
}

/** Some records of a list, and whether there are more. */
export interface Page<T> {
  readonly records: T[];
  readonly more: boolean;
}

/** How many there are, by the names of states. */
export interface StateCounts {
  readonly studies: Readonly<Record<string, number>>;
  readonly trials: Readonly<Record<string, number>>;
}

/** Every method rejects with StoreUnavailableError when it cannot write, having changed nothing. */
export interface Store {
  /** Whether it can write. */
  readonly health: StoreHealth;

  /**
   * Stores a study with its trials. With a request id that its owner has used before: returns the study of then when
   * `fingerprint` is the same.
   * @throws RequestIdReusedError when it is not.
   * @throws ActiveStudiesError when `maxActiveStudies` are ACTIVE already and this is a new one.
   * @throws OwnerActiveStudiesError when `maxOwnerActiveStudies` of them are the owner's.
   * @throws NotFoundError for an artifact that is not there.
   * @throws StudiesError when `maxStudies` are kept already and this is a new one.
   */
  createStudy(request: NewStudy): Promise<CreateResult>;
  /**
   * Cancels a study with all of its trials that have not ended, whoever trains them; one that has ended is returned as it
   * is.
   * @throws NotFoundError
   */
  cancelStudy(name: string): Promise<Study>;
  /**
   * Pauses an ACTIVE study: trials that wait are PAUSED, and those that run are, instead of PENDING, once they are
   * interrupted. None of them goes on before a caller resumes it. A PAUSED study is returned as it is.
   * @throws NotFoundError, StateError when it has ended.
   */
  pauseStudy(name: string): Promise<Study>;
  /**
   * Lets trials go on: they are PENDING, and their study is ACTIVE. Trials that wait or run already stay as they are.
   * @throws NotFoundError, StateError when nothing of it can be resumed, or a trial is neither PAUSED nor FAILED.
   * @throws ActiveStudiesError, OwnerActiveStudiesError when it would be one ACTIVE study too many.
   */
  resumeStudy(request: ResumeRequest): Promise<ResumedStudy>;
  /**
   * Deletes a study that has ended with all that belongs to it, for ever; its request id is free again.
   * @throws NotFoundError, StateError when it has not ended.
   */
  deleteStudy(name: string): Promise<void>;
  getStudy(name: string): Promise<Study | undefined>;
  getDeleted(name: string): Promise<DeletedStudy | undefined>;
  countStates(): Promise<StateCounts>;
  /** Newest first; `after` is a study's name, also of one that was deleted. */
  listStudies(page: StudyPage): Promise<Page<Study>>;
  /** Names of studies that have ended, the one that ended first before the others. */
  listExpired(expiry: Expiry): Promise<string[]>;
  /** Everything of one moment; undefined when there is no such study. @param page of its trials. */
  getSnapshot(name: string, page: PageRequest<number>): Promise<StudySnapshot | undefined>;
  /** Sequence of the last event of a study; 0 when there is none. */
  lastSequence(study: string): Promise<number>;
  /** The same of many at once, by their names; those that are not there are left out. */
  lastSequences(studies: readonly string[]): Promise<ReadonlyMap<string, number>>;

  /**
   * Claims a trial that is PENDING: it is RUNNING, with a new epoch, for one attempt more.
   * @throws NotFoundError
   * @throws StateError when it is not PENDING.
   */
  startTrial(name: string): Promise<StartedTrial>;
  /**
   * Claims the trial whose turn it is, for a worker: it is RUNNING, with a new epoch, for one attempt more. Owners have their
   * turns alike: first comes the one with the fewest trials running; of the owner's studies the most urgent, then one with a
   * trial that ran before, then the one with the fewest running. No study has more trials running than it allows. A trial that
   * the worker was given before and does not hold comes first, with a new epoch, since the answer was lost.
   * @returns undefined when there is none.
   */
  claimTrial(request: ClaimRequest): Promise<StartedTrial | undefined>;
  /** A worker lives, for `leaseMs` more by the database's clock. Tells of each claim whether it still is the worker's. */
  renewLease(request: LeaseRequest): Promise<HeldTrial[]>;
  /**
   * Interrupts the running trials whose workers' leases have passed, or ends those that have lost too many workers; returns them
   * as they are then.
   */
  expireLeases(request?: LostRequest): Promise<Trial[]>;
  /**
   * Notes what computes a trial.
   * @throws StaleEpochError, StateError when the trial has ended.
   */
  describeRuntime(claim: Claim, runtime: Runtime): Promise<Trial>;
  /**
   * The trial waits for a driver's decision about its next outer step, and says so.
   * @throws StaleEpochError, StateError when the trial has ended, or its next outer step is another one or decided.
   */
  awaitDecision(claim: Claim, outerStep: number): Promise<Trial>;
  /**
   * Keeps a decision about the next outer step of a trial, whoever trains it. The same one again changes nothing.
   * @throws NotFoundError
   * @throws StateError when the trial neither trains nor waits to, its next outer step is another one, or that has been
   *   decided otherwise.
   */
  addDecision(trial: string, decision: Decision): Promise<Trial>;
  /**
   * Keeps what is proposed about the next outer step of a trial, in place of what was proposed before, until it is decided or
   * the trial neither trains nor waits to. With a decision that has been made about it: returns that, and keeps nothing.
   * @throws StaleEpochError, StateError when the trial does not run, or its next outer step is another one.
   */
  propose(claim: Claim, proposal: Proposal): Promise<Decision | undefined>;
  /** What is proposed to the driver of a trial now. */
  getProposal(trial: string): Promise<Proposal | undefined>;
  /** Who drives a trial, and whether something is proposed: little, to be asked for now and then. */
  getDriving(trial: string): Promise<Driving>;
  /**
   * One client more comes to drive a trial: its number, which is above those of all before.
   * @throws NotFoundError
   */
  takeSeat(trial: string): Promise<number>;
  /** What was decided about an outer step, whether that is stored or the next. */
  getDecision(trial: string, outerStep: number): Promise<Decision | undefined>;
  /**
   * Appends an outer step and moves its trial on. The very step that was appended last is accepted again.
   * @throws StaleEpochError, StateError when the trial has ended or the step is not its next.
   */
  addOuterStep(claim: Claim, outerStep: OuterStep): Promise<Trial>;
  /**
   * A trial that does not train any more waits to go on; when its study was paused meanwhile, it is PAUSED.
   * @throws StaleEpochError, StateError when the trial does not run.
   */
  interruptTrial(claim: Claim, interruption: Interruption): Promise<Trial>;
  /**
   * A trial that does not train any more is PAUSED until {@link resumeTrial} with the same cause, or a caller, lets it go on;
   * its study is PAUSED with it when none of its other trials waits or runs.
   * @throws StaleEpochError, StateError when the trial does not run.
   */
  pauseTrial(claim: Claim, pause: Pause): Promise<Trial>;
  /**
   * A trial that is PAUSED for this cause is PENDING, and its study ACTIVE. Tells whether that has happened: a trial in
   * another state, or PAUSED for another cause, stays as it is.
   * @throws NotFoundError
   */
  resumeTrial(name: string, cause: PauseCause, by: Actor): Promise<boolean>;
  /** Names of the trials that are PAUSED for this cause, oldest study first. */
  listPausedTrials(cause: PauseCause): Promise<string[]>;
  /**
   * Ends a trial, and its study when it was the last.
   * @throws StaleEpochError, StateError when the trial has ended.
   */
  endTrial(claim: Claim, ending: TrialEnding): Promise<EndedTrial>;

  /**
   * Claims a trial of an EXTERNAL study for a client that reports, whoever reported before: it is RUNNING.
   * @throws NotFoundError
   * @throws StateError when it is neither PENDING nor RUNNING.
   */
  startReporting(name: string): Promise<ReportedTrial>;
  /**
   * Keeps reports of the window that is open, all or none.
   * @param reports their hypergradients are with respect to the coordinate phi; nothing in them changes until the promise
   *   resolves.
   * @param number how many reports of this window were kept before.
   * @throws StaleEpochError, StateError when the trial does not run, or not as many are kept.
   */
  addReports(claim: Claim, reports: readonly Report[], number: number): Promise<void>;
  /**
   * Appends an outer step as `addOuterStep` does, with the rows that were kept, keeps the state of the loop after it, and ends
   * the trial when there is an ending, all at once.
   * @param state not looked into.
   * @throws StaleEpochError, StateError when the trial does not run, the step is not its next, or not as many reports of it
   *   are kept.
   */
  closeWindow(
    claim: Claim,
    outerStep: OuterStep,
    state: Uint8Array,
    end?: WindowEnd,
  ): Promise<EndedTrial | undefined>;

  getTrial(name: string): Promise<Trial | undefined>;
  /** In the order of creation; `after` is a trial's number. */
  listTrials(study: string, page?: PageRequest<number>): Promise<Page<Trial>>;
  /** Of all studies, the newest first; the study that `after` names may have been deleted. */
  listAllTrials(page: AllTrialsPage): Promise<Page<Trial>>;

  /** Whole, with the rows of its window and the contributions of its modes. */
  getOuterStep(name: string): Promise<OuterStep | undefined>;
  /**
   * Oldest first; `after` is an index. The rows of windows and the contributions of modes come only with `windows`, and
   * not of a step that would pass `maxBytes` with them.
   */
  listOuterSteps(
    trial: string,
    page: PageRequest<number> & { readonly windows?: boolean },
  ): Promise<Page<OuterStep>>;

  /** Which claims have stored a trial's outer steps, the earliest first. */
  listOuterStepEpochs(trial: string): Promise<OuterStepsOfClaim[]>;

  /** Oldest first; `after` is a sequence. */
  listEvents(study: string, page: PageRequest<number>): Promise<Page<StoredEvent>>;

  /** Stores an artifact, unless its owner has one with the same content. */
  createArtifact(artifact: NewArtifact): Promise<CreatedArtifact>;
  getArtifact(name: string): Promise<StoredArtifact | undefined>;
  /** Newest first, of one owner or of all; `after` is an artifact's name. */
  listArtifacts(page: PageRequest<string> & { readonly owner: string | undefined }): Promise<Page<Artifact>>;
  /** Bytes of all artifacts of an owner. */
  artifactBytes(owner: string): Promise<bigint>;
  /** The owner of an artifact that was deleted; undefined for one that is there, or never was. */
  deletedArtifactOwner(name: string): Promise<string | undefined>;
  /**
   * Deletes an artifact; one that is not there stays so.
   * @throws StateError when a study that has not ended names it.
   */
  deleteArtifact(name: string): Promise<void>;

  close(): Promise<void>;
}
