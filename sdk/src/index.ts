/** The public API of @glocal/sdk. */

export { GlocalClient } from './client.ts';
export type {
  Anchor,
  Differentiation,
  Estimator,
  EvaluationPoint,
  Grouping,
  Scale,
  Scaling,
  Selection,
  Source,
  StudyState,
  TrialState,
  Variant,
  Verdict,
} from './enums.ts';
export { type ErrorCode, type FieldViolation, GlocalError, type GlocalErrorDetails } from './error.ts';
export type { OuterStepEvent, ProgressEvent, StudyEvent, StudyStateEvent, TrialEvent } from './events.ts';
export type {
  CallOptions,
  ClientOptions,
  ConnectOptions,
  KeepaliveOptions,
  RetryOptions,
  TlsOptions,
} from './options.ts';
export type { ListOptions } from './pages.ts';
export type { BoundTerms, Complex, Mode, Spectrum, VerdictFigures, WindowReport } from './report.ts';
export type { ResultOptions, StudyResult, TrialResult, VerdictCounts } from './result.ts';
export { Schedule, type SchedulePoint } from './schedule.ts';
export type {
  DatasetInfo,
  HyperparameterInfo,
  Limits,
  ModelInfo,
  OptimizerInfo,
  Problems,
  ServerInfo,
} from './server.ts';
export type { StudySnapshot } from './snapshot.ts';
export {
  type ComponentName,
  type FixedParameter,
  type FloatParameter,
  fixed,
  float,
  type NetworkParameter,
  network,
  type Parameter,
  type ParameterMap,
  type Space,
  space,
  type Values,
  type VectorParameter,
  vector,
} from './space.ts';
export type {
  Augmentation,
  CompleteStudySpec,
  DmdOptions,
  Method,
  OuterOptimizer,
  Problem,
  StudySpec,
  Training,
} from './spec.ts';
export type { CreateOptions, GetOptions, Studies } from './studies.ts';
export type { OuterStepsOptions, Study, TrialOptions } from './study.ts';
export type { DifferentiationCost, Evaluation, OuterStep, Timing, Trial, Update, Window } from './trial.ts';
export type { WatchOptions } from './watch.ts';
