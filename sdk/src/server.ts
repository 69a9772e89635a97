/** What a server offers: its catalogue, version and limits. */

import * as proto from '@glocal/proto/glocal/v1/study_service';
import {
  type DatasetFilesState,
  datasetFilesStateName,
  type Grouping,
  groupingName,
  type Role,
  roleName,
} from './enums.ts';
import { plainNumbers } from './plain-numbers.ts';

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
  /** Its files on the server's machine at the moment; undefined from a server that is older than this. */
  readonly files?: DatasetFiles | undefined;
}

/** Whether the files of a data set are on the server's machine. They are looked for, and not read. */
export interface DatasetFiles {
  readonly state: DatasetFilesState;
  /** Names of those that are not there. */
  readonly missing: readonly string[];
  /** What somebody at the server's machine can do to bring them, in one sentence; empty when they are there. */
  readonly repair: string;
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
  /** Components of a vector of a module's. */
  readonly size?: number | undefined;
  /** Whether it keeps one value for the whole of a trial: it is not moved, and follows no schedule. */
  readonly setting: boolean;
}

/** A module of the server's: data set, model and loss in one. The figures are those without options. */
export interface ModuleInfo {
  /** The id that a study names. */
  readonly id: string;
  /** For people. When it cannot be used without options, why. */
  readonly description: string;
  /** JSON Schema of its options, as JSON. */
  readonly optionsSchema: string;
  /** Of its training loss, in place of `lossHyperparameters`. */
  readonly hyperparameters: readonly HyperparameterInfo[];
  /** Number of weights. */
  readonly parameters: number;
  /** Examples in the training part; 0 where the module makes them. */
  readonly trainExamples: number;
  /** Examples that hypergradients are taken on. */
  readonly validationExamples: number;
}

/** An inner optimizer. */
export interface OptimizerInfo {
  /** The id that a study names. */
  readonly id: string;
  readonly description: string;
  readonly hyperparameters: readonly HyperparameterInfo[];
  /** Whether it keeps an average of the weights itself, so that `method.averaging` has no use. */
  readonly averages: boolean;
}

/** What a study's `problem` may name. */
export interface Problems {
  readonly datasets: readonly DatasetInfo[];
  readonly models: readonly ModelInfo[];
  readonly optimizers: readonly OptimizerInfo[];
  /** Hyperparameters of the training loss, which every study may list. */
  readonly lossHyperparameters: readonly HyperparameterInfo[];
  /** Problems of their own, as they were when the server started. */
  readonly modules: readonly ModuleInfo[];
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
  /** Studies that are kept, in every state. `study.delete()` and the server's retention make room. */
  readonly maxStudies: number;
  /** Clients that drive trials or report hypergradients at a time. */
  readonly maxDrivers: number;
  /** Bytes of one artifact. */
  readonly maxArtifactBytes: number;
  /** Bytes of all artifacts of one owner. */
  readonly maxOwnerArtifactBytes: number;
  /** Studies of one owner that are ACTIVE at a time. */
  readonly maxOwnerActiveStudies: number;
  /** Memory of a training process in bytes; 0 for no limit. One that takes more is ended, and its trial is FAILED. */
  readonly maxTrialMemoryBytes: number;
  /** Bytes of all checkpoints; 0 for no limit. Without room trials go on from an older one. */
  readonly maxCheckpointBytes: number;
}

/** Whether the DMD service can be reached. */
export interface DmdStatus {
  /** Whether it answered when it was last asked. */
  readonly reachable: boolean;
  /** Its version; empty until it has answered. */
  readonly version: string;
  /** Why it cannot be reached, in one sentence. */
  readonly reason: string;
}

/** Who calls. */
export interface Caller {
  /** What studies and artifacts made by this caller have as `owner`. */
  readonly owner: string;
  /** What the caller may do. */
  readonly role: Role;
}

/** The server. */
export interface ServerInfo {
  readonly version: string;
  /** What computes the trials, for instance `native TensorFlow 2.21 (oneDNN)`. */
  readonly backend: string;
  /** Address of the DMD service. */
  readonly dmdAddress: string;
  readonly limits: Limits;
  /** Undefined from a server that is older than this. */
  readonly dmd: DmdStatus | undefined;
  /** Who you are to the server; undefined where it does not ask. */
  readonly caller: Caller | undefined;
}

export function decodeServerInfo(info: proto.ServerInfo): ServerInfo {
  const { limits, caller } = info;
  return {
    ...info,
    limits: plainNumbers(proto.Limits.create(limits)),
    caller: caller && { ...caller, role: roleName(caller.role) },
  };
}

export function decodeProblems(pages: readonly proto.ListProblemsResponse[]): Problems {
  return {
    datasets: pages.flatMap(({ datasets }) => datasets.map(decodeDataset)),
    models: pages.flatMap(({ models }) => models),
    optimizers: pages.flatMap(({ optimizers }) => optimizers.map(withHyperparameters)),
    lossHyperparameters: pages.flatMap((page) => page.lossHyperparameters.map(decodeHyperparameter)),
    modules: pages.flatMap(({ modules }) => modules.map(withHyperparameters)),
  };
}

const decodeDataset = ({ files, ...info }: proto.DatasetInfo): DatasetInfo => ({
  ...info,
  files: files && { ...files, state: datasetFilesStateName(files.state) },
});

const withHyperparameters = <Info extends proto.OptimizerInfo | proto.ModuleInfo>(info: Info) => ({
  ...info,
  hyperparameters: info.hyperparameters.map(decodeHyperparameter),
});

const decodeHyperparameter = (info: proto.HyperparameterInfo): HyperparameterInfo => ({
  ...info,
  groupings: info.groupings.map(groupingName),
});
