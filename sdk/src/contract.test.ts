/** What the contract says, the SDK says too: a field that is added there is missing here until someone writes it down. */

import * as dmd from '@glocal/proto/glocal/v1/dmd';
import * as study from '@glocal/proto/glocal/v1/study';
import * as service from '@glocal/proto/glocal/v1/study_service';
import { expect, it } from 'vitest';
import type { Artifact, ArtifactFile } from './artifacts.ts';
import type { DrivenWindow } from './driven-window.ts';
import type { SnapshotEvent } from './events.ts';
import type { Reanalysis, ReanalyzeOptions } from './reanalysis.ts';
import type { BoundTerms, Spectrum, VerdictFigures, WindowReport } from './report.ts';
import type {
  Caller,
  DatasetInfo,
  DmdStatus,
  HyperparameterInfo,
  Limits,
  ModelInfo,
  ModuleInfo,
  OptimizerInfo,
  Problems,
  ServerInfo,
} from './server.ts';
import type { StudySnapshot } from './snapshot.ts';
import type {
  BoolParameter,
  CategoricalParameter,
  CooldownSchedule,
  CosineSchedule,
  DiscreteParameter,
  FixedParameter,
  FloatParameter,
  IntParameter,
  NetworkParameter,
  ReplaySchedule,
  ScheduleKnot,
  VectorParameter,
} from './space.ts';
import type {
  Augmentation,
  DmdOptions,
  Method,
  OuterOptimizer,
  Problem,
  Sampling,
  Training,
} from './spec.ts';
import type { TrialOptions } from './study.ts';
import type { DifferentiationCost, Evaluation, OuterStep, Timing, Trial, Update, Window } from './trial.ts';

/** Every property of a type; the compiler refuses the list when one is missing or there is no such. */
const all = <Type>(names: { [Key in keyof Type]-?: true }) => Object.keys(names);

/** @param renamed what the SDK calls otherwise, by the contract's name; undefined where it says it by other means */
const rows: [string, object, string[], renamed?: Record<string, string | undefined>][] = [
  [
    'Study',
    study.Study.create(),
    all<StudySnapshot>({
      name: true,
      displayName: true,
      space: true,
      problem: true,
      training: true,
      method: true,
      sampling: true,
      mode: true,
      decisionTimeout: true,
      labels: true,
      owner: true,
      state: true,
      stateReason: true,
      createTime: true,
      updateTime: true,
    }),
  ],
  [
    'FloatParameter',
    study.FloatParameter.create(),
    [
      ...all<Omit<FloatParameter, 'kind'>>({ min: true, max: true, init: true, scale: true }),
      ...(['per', 'size'] satisfies (keyof VectorParameter)[]),
    ],
    // Several values are an array.
    { initial: 'init', initials: undefined, grouping: 'per' },
  ],
  [
    'FixedParameter',
    study.FixedParameter.create(),
    all<Omit<FixedParameter, 'kind'>>({ value: true, per: true }),
    // Several values are an array.
    { values: undefined, grouping: 'per' },
  ],
  ['ScheduleKnot', study.ScheduleKnot.create(), all<ScheduleKnot>({ step: true, value: true })],
  [
    'CosineSchedule',
    study.CosineSchedule.create(),
    all<CosineSchedule>({ peak: true, final: true, warmupSteps: true }),
  ],
  [
    'CooldownSchedule',
    study.CooldownSchedule.create(),
    all<CooldownSchedule>({ value: true, cooldownSteps: true, warmupSteps: true }),
  ],
  ['ReplaySchedule', study.ReplaySchedule.create(), all<ReplaySchedule>({ trial: true, parameter: true })],
  [
    'IntParameter',
    study.IntParameter.create(),
    all<Omit<IntParameter, 'kind'>>({ min: true, max: true, step: true }),
  ],
  ['BoolParameter', study.BoolParameter.create(), all<Omit<BoolParameter, 'kind'>>({})],
  [
    'CategoricalParameter',
    study.CategoricalParameter.create(),
    all<Omit<CategoricalParameter, 'kind'>>({ values: true }),
  ],
  [
    'DiscreteParameter',
    study.DiscreteParameter.create(),
    all<Omit<DiscreteParameter, 'kind'>>({ values: true }),
  ],
  [
    'Sampling',
    study.Sampling.create(),
    all<Sampling>({ method: true, points: true, seed: true, maxRunningTrials: true }),
  ],
  [
    'NetworkParameter',
    study.NetworkParameter.create(),
    all<Omit<NetworkParameter, 'kind'>>({ hiddenUnits: true, detached: true }),
  ],
  [
    'Problem',
    study.Problem.create(),
    all<Problem>({
      dataset: true,
      model: true,
      optimizer: true,
      batchSize: true,
      validationExamples: true,
      standardize: true,
      imbalanceFactor: true,
      augmentation: true,
      module: true,
      options: true,
    }),
  ],
  [
    'Augmentation',
    study.Augmentation.create(),
    all<Augmentation>({ cropPadding: true, horizontalFlip: true }),
  ],
  ['Training', study.Training.create(), all<Training>({ steps: true, seeds: true })],
  [
    'Method',
    study.Method.create(),
    all<Method>({
      estimator: true,
      window: true,
      sigma: true,
      stride: true,
      evaluation: true,
      averaging: true,
      sensitivityDiscount: true,
      differentiation: true,
      reverseSteps: true,
      validationSample: true,
      validationSeed: true,
      tangentExamples: true,
      trainings: true,
      dmdAbsence: true,
      dmd: true,
      outer: true,
    }),
  ],
  [
    'DmdOptions',
    dmd.DmdOptions.create(),
    all<DmdOptions>({
      variant: true,
      delays: true,
      svdRank: true,
      tolerance: true,
      clip: true,
      ridge: true,
      scaling: true,
      selection: true,
      anchor: true,
      includeContributions: true,
    }),
    // That of the method.
    { stride: undefined },
  ],
  [
    'OuterOptimizer',
    study.OuterOptimizer.create(),
    all<OuterOptimizer>({
      rate: true,
      beta1: true,
      beta2: true,
      epsilon: true,
      schedule: true,
      maxLossRise: true,
    }),
  ],
  [
    'Trial',
    study.Trial.create(),
    all<Trial>({
      name: true,
      seed: true,
      state: true,
      stateReason: true,
      stepsDone: true,
      outerStepsDone: true,
      values: true,
      validation: true,
      averagedValidation: true,
      test: true,
      averagedTest: true,
      backend: true,
      startTime: true,
      endTime: true,
      datasetSha256: true,
      fallbackWindows: true,
      attempts: true,
      crashes: true,
      choices: true,
      checkpoints: true,
      checkpointBytes: true,
    }),
  ],
  ['Evaluation', study.Evaluation.create(), all<Evaluation>({ loss: true, accuracy: true, examples: true })],
  [
    'OuterStep',
    study.OuterStep.create(),
    all<Omit<OuterStep, 'trial' | 'verdict'>>({
      name: true,
      index: true,
      step: true,
      values: true,
      nextValues: true,
      trainLoss: true,
      validation: true,
      averagedValidation: true,
      window: true,
      report: true,
      update: true,
      timing: true,
      differentiation: true,
    }),
  ],
  [
    'Window',
    study.Window.create(),
    all<Window>({ components: true, firstStep: true, rows: true, stride: true, hypergradients: true }),
  ],
  [
    'Update',
    study.Update.create(),
    all<Update>({
      hypergradient: true,
      sources: true,
      rate: true,
      reason: true,
      rolledBack: true,
      clipped: true,
      fellBack: true,
      decision: true,
    }),
  ],
  [
    'Timing',
    study.Timing.create(),
    all<Timing>({
      training: true,
      hypergradients: true,
      dmd: true,
      other: true,
      decision: true,
      checkpoint: true,
    }),
  ],
  [
    'DifferentiationCost',
    study.DifferentiationCost.create(),
    all<DifferentiationCost>({ used: true, forwardGradients: true, reverseGradients: true }),
  ],
  [
    'WindowReport',
    dmd.WindowReport.create(),
    all<WindowReport>({
      verdict: true,
      verdictReason: true,
      verdictFigures: true,
      glocal: true,
      spread: true,
      componentTrusted: true,
      tScores: true,
      mean: true,
      median: true,
      last: true,
      spectrum: true,
      computeTime: true,
    }),
  ],
  [
    'Spectrum',
    dmd.Spectrum.create(),
    all<Spectrum>({
      modes: true,
      singularValues: true,
      rank: true,
      pairResidual: true,
      reconstructionError: true,
      spectralRadius: true,
      bound: true,
    }),
  ],
  [
    'BoundTerms',
    dmd.BoundTerms.create(),
    all<BoundTerms>({ modeCondition: true, lastResidual: true, decayingNorm: true }),
  ],
  [
    'VerdictFigures',
    dmd.VerdictFigures.create(),
    all<VerdictFigures>({
      growingShare: true,
      growingShareLimit: true,
      undampedShare: true,
      undampedShareLimit: true,
      spikeRatio: true,
      spikeRatioLimit: true,
      trustedTScore: true,
      overshoot: true,
      overshootLimit: true,
      reconstructionErrorLimit: true,
      modeConditionLimit: true,
    }),
  ],
  [
    'ListProblemsResponse',
    service.ListProblemsResponse.create(),
    all<Problems>({
      datasets: true,
      models: true,
      optimizers: true,
      lossHyperparameters: true,
      modules: true,
    }),
    // The SDK reads all pages.
    { nextPageToken: undefined },
  ],
  [
    'DatasetInfo',
    service.DatasetInfo.create(),
    all<DatasetInfo>({
      id: true,
      description: true,
      trainExamples: true,
      testExamples: true,
      classes: true,
      inputShape: true,
    }),
  ],
  [
    'ModelInfo',
    service.ModelInfo.create(),
    all<ModelInfo>({ id: true, description: true, parameters: true }),
  ],
  [
    'OptimizerInfo',
    service.OptimizerInfo.create(),
    all<OptimizerInfo>({ id: true, description: true, hyperparameters: true, averages: true }),
  ],
  [
    'HyperparameterInfo',
    service.HyperparameterInfo.create(),
    all<HyperparameterInfo>({
      name: true,
      description: true,
      min: true,
      max: true,
      defaultValue: true,
      groupings: true,
      size: true,
      setting: true,
    }),
  ],
  [
    'ModuleInfo',
    service.ModuleInfo.create(),
    all<ModuleInfo>({
      id: true,
      description: true,
      optionsSchema: true,
      hyperparameters: true,
      parameters: true,
      trainExamples: true,
      validationExamples: true,
    }),
  ],
  [
    'ServerInfo',
    service.ServerInfo.create(),
    all<ServerInfo>({
      version: true,
      backend: true,
      dmdAddress: true,
      limits: true,
      dmd: true,
      caller: true,
    }),
  ],
  ['DmdStatus', service.DmdStatus.create(), all<DmdStatus>({ reachable: true, version: true, reason: true })],
  ['Caller', service.Caller.create(), all<Caller>({ owner: true, role: true })],
  [
    'Proposal',
    service.Proposal.create(),
    all<Pick<DrivenWindow, 'deadline' | 'givesUp'>>({ deadline: true, givesUp: true }),
    // Its fields are those of the window.
    { outerStep: undefined },
  ],
  [
    'ReanalyzeWindowRequest',
    service.ReanalyzeWindowRequest.create(),
    all<Omit<ReanalyzeOptions, keyof TrialOptions>>({ sigma: true, dmd: true }),
    { name: undefined },
  ],
  [
    'ReanalyzeWindowResponse',
    service.ReanalyzeWindowResponse.create(),
    all<Reanalysis>({ report: true, hypergradient: true, sources: true, reason: true }),
  ],
  [
    'Artifact',
    service.Artifact.create(),
    all<Artifact>({
      name: true,
      kind: true,
      displayName: true,
      files: true,
      size: true,
      owner: true,
      createTime: true,
    }),
  ],
  [
    'ArtifactFile',
    service.ArtifactFile.create(),
    all<ArtifactFile>({ path: true, size: true, sha256: true }),
  ],
  [
    'Snapshot',
    service.Snapshot.create(),
    all<Omit<SnapshotEvent, 'type' | 'cursor' | 'time'>>({ study: true, trials: true, missedEvents: true }),
  ],
  [
    'Limits',
    service.Limits.create(),
    all<Limits>({
      maxSteps: true,
      maxTrials: true,
      maxActiveStudies: true,
      maxWatchers: true,
      maxWatchBytes: true,
      maxMessageBytes: true,
      maxRunningTrials: true,
      maxWindowRows: true,
      maxComponents: true,
      maxStudies: true,
      maxDrivers: true,
      maxArtifactBytes: true,
      maxOwnerArtifactBytes: true,
      maxOwnerActiveStudies: true,
      maxTrialMemoryBytes: true,
      maxCheckpointBytes: true,
    }),
  ],
];

it.each(rows)('%s has the fields of the contract', (_name, message, names, renamed = {}) => {
  const expected = Object.keys(message).flatMap((field) =>
    Object.hasOwn(renamed, field) ? (renamed[field] ?? []) : field,
  );
  expect(names.toSorted()).toEqual(expected.toSorted());
});
