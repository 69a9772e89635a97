/** What a server offers: its catalogue, version and limits. */

import type * as proto from '@glocal/proto/glocal/v1/study_service';
import { type Grouping, groupingName } from './enums.ts';

/** A data set. */
export interface DatasetInfo {
  /** The id that a study names. */
  readonly id: string;
  readonly description: string;
  /** Examples in the training part, before the validation examples are taken from it. */
  readonly trainExamples: number;
  readonly testExamples: number;
  readonly classes: number;
  /** Height, width, channels. */
  readonly inputShape: readonly number[];
}

/** A model. */
export interface ModelInfo {
  /** The id that a study names. */
  readonly id: string;
  readonly description: string;
  /** Number of weights. */
  readonly parameters: number;
}

/** A hyperparameter of an optimizer or of the training loss. */
export interface HyperparameterInfo {
  /** The name that a search space uses. */
  readonly name: string;
  readonly description: string;
  /** Smallest value of its domain. */
  readonly min: number;
  /** Largest value of its domain. */
  readonly max: number;
  /** Value when the search space does not list it; undefined when it must be listed. */
  readonly defaultValue?: number | undefined;
  /** What there may be a value for; the first is the default. */
  readonly groupings: readonly Grouping[];
}

/** An inner optimizer. */
export interface OptimizerInfo {
  /** The id that a study names. */
  readonly id: string;
  readonly description: string;
  readonly hyperparameters: readonly HyperparameterInfo[];
}

/** What a study's `problem` may name. */
export interface Problems {
  readonly datasets: readonly DatasetInfo[];
  readonly models: readonly ModelInfo[];
  readonly optimizers: readonly OptimizerInfo[];
  /** Hyperparameters of the training loss, which every study may list. */
  readonly lossHyperparameters: readonly HyperparameterInfo[];
}

/** Limits that requests are checked against. */
export interface Limits {
  /** Inner steps of a trial. */
  readonly maxSteps: number;
  /** Trials of a study. */
  readonly maxTrials: number;
  /** Studies that are ACTIVE at a time. */
  readonly maxActiveStudies: number;
  /** Watchers connected at a time. */
  readonly maxWatchers: number;
  /** Bytes of events that are kept for watchers, all of them together. */
  readonly maxWatchBytes: number;
  /** Bytes of one request. */
  readonly maxMessageBytes: number;
  /** Trials that run at a time. */
  readonly maxRunningTrials: number;
  /** Hypergradients in a window of `glocal` (`method.sigma`), as the DMD service allows (its defaults until it has answered); 0 from an older server. */
  readonly maxWindowRows: number;
  /** Components of a hypergradient of `glocal`, as the DMD service allows (its defaults until it has answered); 0 from an older server. */
  readonly maxComponents: number;
}

/** The server. */
export interface ServerInfo {
  readonly version: string;
  /** What computes the trials, for instance `native TensorFlow 2.21 (oneDNN)`. */
  readonly backend: string;
  /** Address of the DMD service. */
  readonly dmdAddress: string;
  readonly limits: Limits;
}

export function decodeProblems(pages: readonly proto.ListProblemsResponse[]): Problems {
  return {
    datasets: pages.flatMap(({ datasets }) => datasets),
    models: pages.flatMap(({ models }) => models),
    optimizers: pages.flatMap(({ optimizers }) => optimizers.map(decodeOptimizer)),
    lossHyperparameters: pages.flatMap((page) => page.lossHyperparameters.map(decodeHyperparameter)),
  };
}

const decodeOptimizer = (info: proto.OptimizerInfo): OptimizerInfo => ({
  ...info,
  hyperparameters: info.hyperparameters.map(decodeHyperparameter),
});

const decodeHyperparameter = (info: proto.HyperparameterInfo): HyperparameterInfo => ({
  ...info,
  groupings: info.groupings.map(groupingName),
});
