/**
 * What server and page say to each other as JSON. Times are milliseconds since 1970, losses nats, accuracies and shares 0 to 1;
 * numbers that are not finite are null.
 */

import type { Timing } from '@glocal/sdk';

/** A number as JSON has it. */
export type Figure = number | null;

/** Whether the page may ask for anything. */
export interface SessionInfo {
  /** Of the dashboard. */
  readonly version: string;
  /** Of the trainer. */
  readonly address: string;
  /** `none`: nobody is asked; `needed`: a token has to be given first. */
  readonly login: 'none' | 'needed' | 'done';
}

/** An error as every route answers it. */
export interface Fault {
  /** gRPC status code by name. */
  readonly code: string;
  readonly reason?: string | undefined;
  readonly message: string;
  readonly fieldViolations: readonly { readonly field: string; readonly description: string }[];
  readonly requestId?: string | undefined;
}

/** A study in the list. */
export interface StudyRow {
  /** `studies/{study}` */
  readonly name: string;
  readonly displayName: string;
  readonly state: string;
  readonly stateReason: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: string;
  readonly estimator: string;
  readonly mode: string;
  /** What is trained, in a few words. */
  readonly problem: string;
  /** Inner steps of each trial. */
  readonly steps: number;
  readonly createTime: number;
  readonly updateTime: number;
}

export interface StudyList {
  readonly rows: readonly StudyRow[];
  /** Whether these are all. */
  readonly complete: boolean;
}

/** What a study has found so far. */
export interface StudyDigest {
  readonly name: string;
  /** Lowest validation loss among its trials, at the weights that the study is judged by. */
  readonly loss: Figure;
  readonly accuracy: Figure;
  /** In plain runs, of the trial with that loss. */
  readonly cost: Figure;
  /** Share of its inner steps that is done. */
  readonly progress: number;
  readonly trials: number;
  /** Validation loss of that trial over its outer steps, thinned; left out where it was not asked for or is too much to read. */
  readonly spark?: readonly Figure[];
}

/** A trial as the page shows it. */
export interface TrialRow {
  /** `studies/{study}/trials/{trial}` */
  readonly name: string;
  /** Position in the study. */
  readonly position: number;
  readonly seed: number;
  readonly choices: Readonly<Record<string, string | number | boolean>>;
  readonly state: string;
  readonly stateReason: string;
  readonly stepsDone: number;
  readonly outerStepsDone: number;
  readonly attempts: number;
  readonly fallbackWindows: number;
  readonly validation?: EvaluationRow | undefined;
  readonly averagedValidation?: EvaluationRow | undefined;
  readonly test?: EvaluationRow | undefined;
  readonly averagedTest?: EvaluationRow | undefined;
  readonly backend: string;
  readonly cost?: number | undefined;
  readonly timing: Timing;
  readonly startTime?: number | undefined;
  readonly endTime?: number | undefined;
}

export interface EvaluationRow {
  readonly loss: Figure;
  readonly accuracy: Figure;
  readonly examples: number;
}

/** A parameter of the search space as charts need it. */
export interface ParameterRow {
  readonly name: string;
  /** `float`, `vector`, `network`, `fixed`, `categorical` and so on. */
  readonly kind: string;
  /** In which it moves: `log`, `logit`, `linear`. */
  readonly scale?: string | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** A study with its trials. */
export interface StudyDetail {
  readonly study: StudyRow & {
    readonly predictedCost: number;
    /** Weights that it is judged by: `averaged` or `last`. */
    readonly evaluation: string;
    readonly decisionTimeout: number;
  };
  readonly parameters: readonly ParameterRow[];
  readonly trials: readonly TrialRow[];
  /** The specification as plain data, with every default. */
  readonly spec: unknown;
}

/** The specification in the languages that it is written in. */
export interface SpecificationTexts {
  readonly yaml: string;
  readonly typescript: string;
}

/** What the server says about a specification. */
export interface SpecificationCheck {
  readonly texts?: SpecificationTexts | undefined;
  /** In plain runs; only of one that can be run. */
  readonly predictedCost?: number | undefined;
  readonly fault?: Fault | undefined;
}

/** Of a vector: its mean and what it spans. */
export interface VectorSummary {
  readonly mean: Figure;
  readonly min: Figure;
  readonly max: Figure;
  readonly size: number;
}

export type ValueRow = Figure | string | boolean | VectorSummary;

/** Of up to so many components, an outer step says the hypergradients one by one; of more it says norms, and `Components` the rest. */
export const MOST_COMPONENTS = 12;

/** An outer step without what only its own page needs. */
export interface StepRow {
  readonly index: number;
  /** Inner steps done at its end. */
  readonly step: number;
  readonly trainLoss: Figure;
  readonly loss: Figure;
  readonly accuracy: Figure;
  readonly averagedLoss: Figure;
  readonly averagedAccuracy: Figure;
  readonly verdict?: string | undefined;
  readonly verdictReason?: string | undefined;
  /** During this outer step. */
  readonly values: Readonly<Record<string, ValueRow>>;
  /** Where the update moved those that move. */
  readonly next: Readonly<Record<string, ValueRow>>;
  readonly update?: UpdateRow | undefined;
  readonly window?:
    | { readonly rows: number; readonly stride: number; readonly firstStep: number; readonly size: number }
    | undefined;
  readonly hypergradients?: HypergradientRow | undefined;
  readonly spectrum?: SpectrumRow | undefined;
  readonly timing: Timing;
}

export interface UpdateRow {
  readonly rate: number;
  readonly reason: string;
  readonly rolledBack: boolean;
  readonly fellBack: boolean;
  readonly clipped: readonly string[];
  /** What a driver decided. */
  readonly decision?: string | undefined;
  /** How many components came from where. */
  readonly sources: Readonly<Record<string, number>>;
}

/** Entry by entry for at most {@link MOST_COMPONENTS}; else without vectors. */
export interface HypergradientRow {
  readonly names?: readonly string[] | undefined;
  readonly local?: readonly Figure[] | undefined;
  readonly mean?: readonly Figure[] | undefined;
  readonly glocal?: readonly Figure[] | undefined;
  /** Standard errors of `glocal`. */
  readonly spread?: readonly Figure[] | undefined;
  readonly used?: readonly Figure[] | undefined;
  readonly trusted?: readonly boolean[] | undefined;
  readonly localNorm: Figure;
  readonly glocalNorm?: Figure | undefined;
  /** Share of the components whose estimate is trusted. */
  readonly trustedShare?: number | undefined;
}

export interface ModeRow {
  readonly re: Figure;
  readonly im: Figure;
  readonly share: Figure;
  readonly norm: Figure;
  readonly steady: boolean;
}

export interface SpectrumRow {
  readonly modes: readonly ModeRow[];
  readonly rank: number;
  readonly radius: Figure;
  readonly pairResidual: Figure;
  readonly reconstructionError: Figure;
}

/** All outer steps of a trial so far. */
export interface StepList {
  readonly trial: string;
  readonly steps: readonly StepRow[];
}

/** What components did over the outer steps: a row for each step, an entry for each component. */
export interface Components {
  readonly names: readonly string[];
  /** Inner steps done at the end of each outer step. */
  readonly steps: readonly number[];
  readonly values: readonly (readonly Figure[])[];
}

/** One component of the hypergradient over the outer steps. */
export interface ComponentSeries {
  readonly name: string;
  readonly local: readonly Figure[];
  readonly glocal: readonly Figure[];
  readonly spread: readonly Figure[];
  readonly used: readonly Figure[];
  readonly trusted: readonly boolean[];
}

/** One outer step with the rows of its window. */
export interface StepDetail {
  readonly step: StepRow;
  readonly components: readonly string[];
  /** Rows of the window, oldest first; of so many components as a page can show. */
  readonly rows: readonly (readonly Figure[])[];
  /** Inner step after which each row was taken. */
  readonly rowSteps: readonly number[];
  readonly glocal?: readonly Figure[] | undefined;
  readonly singularValues: readonly Figure[];
  readonly tScores: readonly Figure[];
}

/** What other options would have made of a window. */
export interface WhatIf {
  readonly verdict: string;
  readonly verdictReason: string;
  readonly reason: string;
  readonly names: readonly string[];
  readonly local: readonly Figure[];
  readonly glocal?: readonly Figure[] | undefined;
  readonly used: readonly Figure[];
  readonly sources: readonly string[];
  readonly trusted: readonly boolean[];
  readonly spectrum: SpectrumRow;
  readonly computeTime: number;
}

/** Who drives a trial, and what waits for a decision. */
export interface DriveState {
  /** `studies/{study}/trials/{trial}` */
  readonly trial: string;
  /** `waiting` for the next window, `proposed`, `ended`, or `failed`. */
  readonly state: 'waiting' | 'proposed' | 'ended' | 'failed';
  readonly message?: string | undefined;
  /** The window that waits. */
  readonly proposal?: ProposalRow | undefined;
}

export interface ProposalRow {
  readonly index: number;
  readonly stepsDone: number;
  readonly values: Readonly<Record<string, ValueRow>>;
  readonly next: Readonly<Record<string, ValueRow>>;
  readonly verdict?: string | undefined;
  readonly verdictReason?: string | undefined;
  readonly reason?: string | undefined;
  readonly loss: Figure;
  readonly averagedLoss: Figure;
  readonly rate?: number | undefined;
  readonly deadline?: number | undefined;
  readonly givesUp: boolean;
  readonly spectrum?: SpectrumRow | undefined;
}

/** What the stream of a tab says: the SSE event's name and its data. */
export type TabMessage =
  /** Whether the trainer answers. */
  | { readonly type: 'trainer'; readonly connected: boolean; readonly message?: string }
  /** Studies that are new or have changed, and names of those that are gone. */
  | {
      readonly type: 'studies';
      readonly changed: readonly StudyRow[];
      readonly gone: readonly string[];
      readonly digests: readonly StudyDigest[];
    }
  | { readonly type: 'study'; readonly study: StudyRow }
  | { readonly type: 'trial'; readonly study: string; readonly trial: TrialRow }
  | { readonly type: 'step'; readonly study: string; readonly trial: string; readonly step: StepRow }
  | {
      readonly type: 'progress';
      readonly study: string;
      readonly trial: string;
      readonly stepsDone: number;
      readonly steps: number;
    }
  /** The study as it is: what happened before has to be asked for where it is missing. */
  | { readonly type: 'snapshot'; readonly study: StudyRow; readonly trials: readonly TrialRow[] }
  | { readonly type: 'gone'; readonly study: string; readonly message: string }
  | { readonly type: 'drive'; readonly study: string; readonly drive: DriveState }
  /** Nothing happens; the connection is alive. */
  | { readonly type: 'beat' };
