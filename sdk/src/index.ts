/** The public API of @glocal/sdk. */

export type { ArtifactSource } from './artifact-files.ts';
export type { Artifact, ArtifactFile, Artifacts, UploadOptions } from './artifacts.ts';
export { GlocalClient } from './client.ts';
export type { ComparedStudy, Comparison, Figure, FigureName, Obstacle } from './comparison.ts';
export type { Decision } from './decision.ts';
export type { DriveOptions } from './drive.ts';
export type { DecisionOptions, DrivenWindow, StepOptions } from './driven-window.ts';
export type {
  Anchor,
  ArtifactKind,
  DatasetFilesState,
  Differentiation,
  DmdAbsence,
  Estimator,
  EvaluationPoint,
  Grouping,
  OuterSchedule,
  Role,
  RunMode,
  SamplingMethod,
  Scale,
  Scaling,
  Selection,
  Source,
  StudyState,
  TrialState,
  Variant,
  Verdict,
} from './enums.ts';
export {
  CancelledError,
  DeadlineExceededError,
  type ErrorCode,
  type ErrorDetail,
  type FieldViolation,
  GlocalError,
  type GlocalErrorDetails,
  InvalidArgumentError,
  NotFoundError,
  UnauthenticatedError,
  UnavailableError,
} from './error.ts';
export type { EstimatedWindow } from './estimator/estimated-window.ts';
export {
  type EstimatorInfo,
  type EstimatorLimits,
  type EstimatorOptions,
  GlocalEstimator,
  type WindowOptions,
} from './estimator/estimator.ts';
export type { AnalyzeOptions } from './estimator/window-spec.ts';
export type {
  OuterStepEvent,
  ProgressEvent,
  SnapshotEvent,
  StudyEvent,
  StudyStateEvent,
  TrialEvent,
} from './events.ts';
export type { ExternalOptions, KnownExternal, NewExternal } from './external.ts';
export type { ExternalLoop } from './external-loop.ts';
export {
  type Json,
  type JsonObject,
  spaceFromJson,
  spaceToJson,
  specFromJson,
  specToJson,
} from './json.ts';
export type { Lead } from './lead.ts';
export type { LogEntry, LogFields, Logger, LogLevel } from './logger.ts';
export type { ClipOptions } from './optimizer/clip.ts';
export type { GradientOptions, HypergradientChoice } from './optimizer/gradient-optimizer.ts';
export type { SavableOptimizer, WindowOptimizer } from './optimizer/optimizer.ts';
export {
  type AdamOptions,
  adam,
  type RmsPropOptions,
  rmsProp,
  type SgdOptions,
  sgd,
} from './optimizer/optimizers.ts';
export { type TrustRegionOptions, trustRegion } from './optimizer/trust-region.ts';
export type {
  CallOptions,
  ClientOptions,
  ConnectOptions,
  KeepaliveOptions,
  RetryOptions,
  TlsOptions,
  TlsSource,
} from './options.ts';
export type { ListOptions } from './pages.ts';
export type { Reanalysis, ReanalyzeOptions } from './reanalysis.ts';
export type { ReconnectOptions } from './reconnect.ts';
export type { BoundTerms, Complex, Mode, Spectrum, VerdictFigures, WindowReport } from './report.ts';
export type {
  ReportFigures,
  ReportOptions,
  ReportPosition,
  ReportSession,
} from './report-session.ts';
export type { ResultOptions, StudyResult, TrialResult, VerdictCounts } from './result.ts';
export type { Row } from './row.ts';
export { Schedule, type ScheduledValues, type SchedulePoint } from './schedule.ts';
export type { CodeOptions, Framework } from './schedule-code.ts';
export type { ScheduleJson } from './schedule-text.ts';
export type {
  Caller,
  DatasetFiles,
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
export type { StudySnapshot } from './snapshot.ts';
export {
  type BoolParameter,
  type BranchingParameter,
  bool,
  type CategoricalParameter,
  type ChoiceParameter,
  type CooldownSchedule,
  type CosineSchedule,
  categorical,
  type DiscreteParameter,
  discrete,
  type FixedParameter,
  type FixedValue,
  type FloatParameter,
  fixed,
  float,
  type GivenParameter,
  type Initial,
  type IntParameter,
  int,
  type MovingParameter,
  type NetworkParameter,
  network,
  type Parameter,
  type ParameterBranches,
  type ParameterMap,
  type ParameterSchedule,
  type PointsSchedule,
  type ReplaySchedule,
  type ScheduledParameter,
  type ScheduleKnot,
  type Space,
  scheduled,
  space,
  type VectorOptions,
  type VectorParameter,
  vector,
} from './space.ts';
export type {
  Choices,
  ComponentName,
  MovingName,
  NewValues,
  SentValues,
  Values,
} from './space-values.ts';
export type {
  Augmentation,
  CompleteStudySpec,
  DmdOptions,
  ExternalStudySpec,
  Method,
  ModuleProblem,
  ModuleProblemFor,
  OuterOptimizer,
  Problem,
  ProblemFor,
  Sampling,
  StudySpec,
  Training,
} from './spec.ts';
export { describeSpec } from './spec-print.ts';
export type { CreateOptions, GetOptions, ListStudiesOptions, Studies } from './studies.ts';
export type {
  DeleteOptions,
  OuterStepsOptions,
  ResumeOptions,
  ResumePoint,
  Study,
  TrialOptions,
} from './study.ts';
export type { ExpiringToken, TokenSource } from './token.ts';
export type {
  DifferentiationCost,
  Evaluation,
  ListedTrial,
  OuterStep,
  SentOuterStep,
  Timing,
  Trial,
  Update,
  Window,
} from './trial.ts';
export { IncompatibleServerError } from './version.ts';
export type { WatchOptions } from './watch.ts';
export { spaceFromYaml, spaceToYaml, specFromYaml, specToYaml } from './yaml.ts';
