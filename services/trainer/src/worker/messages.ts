/** What the server and the process that trains say to each other over the IPC channel. Records travel as protobuf. */

import type { CheckpointId } from '../checkpoint/kept.ts';
import type { DmdConnection } from '../dmd/connection.ts';
import type { PauseCause } from '../lifecycle/transitions.ts';
import type { ObjectStoreFailure } from '../objects/errors.ts';
import type { OpenLocation } from '../objects/location.ts';
import type { OuterStepsOfClaim } from '../store/store.ts';
import type { TraceContext } from '../tracing/tracing.ts';

/** Server to worker, once: what to do. */
export interface StartMessage {
  readonly type: 'start';
  /** Encoded Study, complete. */
  readonly study: Uint8Array;
  /** Encoded Trial. */
  readonly trial: Uint8Array;
  /** Secrets are in the files that it names. */
  readonly dmd: DmdConnection;
  readonly dmdRetryBudgetMs: number;
  /** Folder of the user's models. */
  readonly modelDir: string | undefined;
  /** Folder of the artifacts. */
  readonly artifactDir: string;
  /** Folder of the user's problem modules. */
  readonly problemDir: string | undefined;
  readonly backend: 'tensorflow' | 'wasm' | 'cpu' | undefined;
  /** Version of the trainer. */
  readonly version: string;
  /** Where the checkpoints of all trials are; undefined where only the server can reach them, which is asked then. */
  readonly checkpoints: OpenLocation | undefined;
  /** Of the claim: the checkpoints that it writes have it in their names. */
  readonly epoch: number;
  /** Bytes that all of them may take; 0 for no limit. */
  readonly maxCheckpointBytes: number;
  /** Span of the attempt; undefined where there are none. */
  readonly trace: TraceContext | undefined;
  /** Outer step whose checkpoint it goes on from; 0 for the newest. */
  readonly checkpoint: number;
  /** Which claims have stored the trial's outer steps. */
  readonly storedBy: readonly OuterStepsOfClaim[];
}

/** Server to worker: leave the trial at the next outer-step boundary. */
export interface LeaveMessage {
  readonly type: 'leave';
}

/** Server to worker: the oldest outer step that was told and not acknowledged is durable. */
export interface AcknowledgedMessage {
  readonly type: 'acknowledged';
  readonly index: number;
}

/** Server to worker: what is decided about the window that was proposed. */
export interface DecisionMessage {
  readonly type: 'decision';
  /** Encoded Decision. */
  readonly decision: Uint8Array;
}

/** Server to worker: what has become of a request of that number. */
export interface CheckpointAnswerMessage {
  readonly type: 'checkpointAnswer';
  readonly number: number;
  /** Undefined where there is nothing to say. */
  readonly answer?: unknown;
  /** Why it could not be done. */
  readonly error?: { readonly message: string; readonly failure: ObjectStoreFailure | undefined } | undefined;
}

/** What can be asked of the checkpoints of a trial. */
export type CheckpointAsk =
  | { readonly what: 'put'; readonly outerStep: number; readonly bytes: Uint8Array }
  | { readonly what: 'get' | 'remove'; readonly id: CheckpointId }
  | { readonly what: 'list' | 'discardIncomplete' }
  | { readonly what: 'lacks'; readonly bytes: number };

/** Worker to server, of checkpoints that only the server can reach. Each is answered when it is done, whatever else waits. */
export interface CheckpointRequestMessage {
  readonly type: 'checkpointRequest';
  readonly number: number;
  readonly ask: CheckpointAsk;
}

/** Worker to server: ready to train. */
export interface StartedMessage {
  readonly type: 'started';
  /** What computes, for people. */
  readonly backend: string;
  /** Of the data set's content, as the trial has it in its record. */
  readonly datasetSha256: string;
  /** Of an attempt that goes on: what is unusual about it, for people. */
  readonly notes: readonly string[];
}

/** Worker to server: something that does not end the trial, and should not go unseen. */
export interface WarningMessage {
  readonly type: 'warning';
  readonly text: string;
}

/** Worker to server, a few times a second. */
export interface ProgressMessage {
  readonly type: 'progress';
  readonly stepsDone: number;
}

/** Worker to server after each window of a trial that is driven: nothing is computed until a decision comes. */
export interface ProposalMessage {
  readonly type: 'proposal';
  /** Encoded OuterStep, as it would be. */
  readonly outerStep: Uint8Array;
  /** Whether accepting it ends the trial as INFEASIBLE. */
  readonly givesUp: boolean;
  /** Whether training can go on from the window's end. */
  readonly sound: boolean;
}

/**
 * Worker to server after each outer step that the trial did not have, once its checkpoint is written; training goes on while it is being stored, until more than
 * {@link MAX_UNACKNOWLEDGED} wait for that.
 */
export interface OuterStepMessage {
  readonly type: 'outerStep';
  readonly index: number;
  /** Encoded OuterStep. */
  readonly outerStep: Uint8Array;
}

/** Worker to server, every second as long as it is not computing: that it lives. */
export interface AliveMessage {
  readonly type: 'alive';
  /** Whether it waits for somebody else, as the DMD service. */
  readonly waits: boolean;
  /** Whether it leaves the DMD service alone for now, as it was away. */
  readonly leavesDmdAlone: boolean;
}

/** Worker to server, after a checkpoint has become durable. */
export interface CheckpointMessage {
  readonly type: 'checkpoint';
  readonly bytes: number;
}

/** Worker to server, last: how it ended. The process exits when the server has closed the channel. */
export interface EndedMessage {
  readonly type: 'ended';
  /** `left` as it was told to; `paused` because it cannot go on by itself; `unfit` because it cannot be trained on this machine. */
  readonly outcome: 'succeeded' | 'infeasible' | 'failed' | 'unfit' | 'left' | 'paused';
  readonly reason: string;
  /** What it waits for; only of one that was paused. */
  readonly cause?: PauseCause | undefined;
  /** Encoded Evaluation on the test part; empty unless it succeeded. */
  readonly test: Uint8Array;
  /** The same at the averaged weights. */
  readonly averagedTest: Uint8Array;
}

/** Outer steps that a training process may have told without their being stored: so much waits in the server at most. */
export const MAX_UNACKNOWLEDGED = { maxCount: 4, maxBytes: 32 * 1024 * 1024 };

export type ToWorker =
  | StartMessage
  | AcknowledgedMessage
  | CheckpointAnswerMessage
  | DecisionMessage
  | LeaveMessage;
export type FromWorker =
  | StartedMessage
  | WarningMessage
  | ProgressMessage
  | ProposalMessage
  | AliveMessage
  | CheckpointMessage
  | CheckpointRequestMessage
  | OuterStepMessage
  | EndedMessage;
