/** What the server and the process that trains say to each other over the IPC channel. Records travel as protobuf. */

import type { DmdConnection } from '../dmd/connection.ts';

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
  readonly backend: 'tensorflow' | 'wasm' | 'cpu' | undefined;
}

/** Worker to server: ready to train. */
export interface StartedMessage {
  readonly type: 'started';
  /** What computes, for people. */
  readonly backend: string;
  /** Of the data set's content, as the trial has it in its record. */
  readonly datasetSha256: string;
}

/** Worker to server, a few times a second. */
export interface ProgressMessage {
  readonly type: 'progress';
  readonly stepsDone: number;
}

/** Worker to server after each outer step; training goes on while it is being stored. */
export interface OuterStepMessage {
  readonly type: 'outerStep';
  /** Encoded OuterStep. */
  readonly outerStep: Uint8Array;
}

/** Worker to server, last: how it ended. The process exits when the server has closed the channel. */
export interface EndedMessage {
  readonly type: 'ended';
  readonly outcome: 'succeeded' | 'infeasible' | 'failed';
  readonly reason: string;
  /** Encoded Evaluation on the test part; empty unless it succeeded. */
  readonly test: Uint8Array;
  /** The same at the averaged weights. */
  readonly averagedTest: Uint8Array;
}

export type FromWorker = StartedMessage | ProgressMessage | OuterStepMessage | EndedMessage;
