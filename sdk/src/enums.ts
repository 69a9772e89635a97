/**
 * The contract's enums as string unions. What a caller chooses is in lower case, what the server observes in upper
 * case. A newer server may send a value that this version does not know: it arrives as `UNKNOWN`.
 */

import * as dmd from '@glocal/proto/glocal/v1/dmd';
import * as study from '@glocal/proto/glocal/v1/study';
import * as service from '@glocal/proto/glocal/v1/study_service';

/**
 * What moves the hyperparameters: nothing, the last hypergradient of a window, its mean, its median, DMD, or the
 * hypergradient of a whole training.
 */
export type Estimator = 'fixed' | 'local' | 'mean' | 'median' | 'glocal' | 'global';

/**
 * The unconstrained coordinate in which a hyperparameter moves: `logit` (sigmoid onto the bounds), `log`, or `linear`,
 * the last two clipped to the bounds.
 */
export type Scale = 'logit' | 'log' | 'linear';

/** The weights at which hypergradients are taken: those after the last step, or their running average. */
export type EvaluationPoint = 'last_iterate' | 'averaged';

/** How hypergradients are computed: along with the training, back through its last steps, or the cheaper of both. */
export type Differentiation = 'auto' | 'forward' | 'reverse';

/** What a hyperparameter has a value for. */
export type Grouping = 'none' | 'layer' | 'class';

/**
 * How a window's heading is estimated: by the paper's Hankel DMD, by an affine map whose estimate always exists, by
 * DMD in both directions of time, by fitted decays; or, as controls, the mean, the median or the last row.
 */
export type Variant = 'hankel' | 'affine' | 'forward_backward' | 'optimized' | 'mean' | 'median' | 'last';

/** How the components of a window are scaled before the decomposition: each by itself, all alike, or not at all. */
export type Scaling = 'component' | 'global' | 'none';

/** Which modes `hankel` and `forward_backward` add up: the steady ones, or the one nearest to eigenvalue 1, however far. */
export type Selection = 'steady' | 'nearest';

/** The snapshot to which their amplitudes are fitted. */
export type Anchor = 'first' | 'last';

/**
 * Where a component of an update came from; `held` is a component that did not move, `driver` one that a client chose, `lowered` a learning
 * rate that was lowered as the loss had risen, or pushed down as the window diverged.
 */
export type Source = 'glocal' | 'local' | 'mean' | 'median' | 'held' | 'driver' | 'lowered' | 'unknown';

/**
 * Who trains, and who decides how the hyperparameters move: the service both, the service trains and a client decides after
 * each window, or a client trains and the service decides.
 */
export type RunMode = 'managed' | 'driven' | 'external';

/** How points of a search space are taken: every combination, independent draws, or a Sobol sequence. */
export type SamplingMethod = 'grid' | 'random' | 'sobol';

/** What happens when the DMD service gives no report in time: the local hypergradient is used, or the trial waits, PAUSED. */
export type DmdAbsence = 'fall_back' | 'pause';

/** How the rate of the outer optimizer changes: not, or as half a cosine from its full value down to 0. */
export type OuterSchedule = 'constant' | 'cosine';

/** What an artifact is: a LayersModel of TensorFlow.js, or a data set with its manifest. */
export type ArtifactKind = 'model' | 'dataset';

/** What a caller may do; each may what those before it may. */
export type Role = 'READ' | 'WRITE' | 'ADMIN' | 'UNKNOWN';

/**
 * Whether the files of a data set are on the server's machine. DOWNLOADABLE: the next trial that needs those that are not tries to
 * download them; MISSING: there is no site to download them from.
 */
export type DatasetFilesState = 'PRESENT' | 'DOWNLOADABLE' | 'MISSING' | 'UNKNOWN';

/** State of a study: ACTIVE until every trial has ended, PAUSED until it is resumed. */
export type StudyState = 'ACTIVE' | 'PAUSED' | 'COMPLETED' | 'CANCELLED' | 'FAILED' | 'UNKNOWN';

/**
 * State of a trial. PAUSED: it waits to be resumed, or for what its `stateReason` names. INFEASIBLE: it diverged, also after
 * rolling back and halving the outer rate.
 */
export type TrialState =
  | 'PENDING'
  | 'RUNNING'
  | 'PAUSED'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'INFEASIBLE'
  | 'CANCELLED'
  | 'UNKNOWN';

/** How far to trust the glocal hypergradient of a window. */
export type Verdict =
  | 'TRUSTED'
  | 'UNCERTAIN'
  | 'NO_STEADY_MODE'
  | 'OSCILLATING'
  | 'DIVERGING'
  | 'DEGENERATE'
  | 'UNKNOWN';

/** An enum as ts-proto generates it, without its prefix. */
type ProtoEnum = Readonly<Record<string, number>>;

export const estimatorName = (value: number) => nameOf(study.Estimator, value).toLowerCase() as Estimator;
export const scaleName = (value: number) => nameOf(study.Scale, value).toLowerCase() as Scale;
export const evaluationPointName = (value: number) =>
  nameOf(study.EvaluationPoint, value).toLowerCase() as EvaluationPoint;
export const differentiationName = (value: number) =>
  nameOf(study.Differentiation, value).toLowerCase() as Differentiation;
export const groupingName = (value: number) => nameOf(study.Grouping, value).toLowerCase() as Grouping;
export const variantName = (value: number) => nameOf(dmd.Variant, value).toLowerCase() as Variant;
export const scalingName = (value: number) => nameOf(dmd.Scaling, value).toLowerCase() as Scaling;
export const selectionName = (value: number) => nameOf(dmd.Selection, value).toLowerCase() as Selection;
export const anchorName = (value: number) => nameOf(dmd.Anchor, value).toLowerCase() as Anchor;
export const sourceName = (value: number) => nameOf(study.Source, value).toLowerCase() as Source;
export const runModeName = (value: number) => nameOf(study.RunMode, value).toLowerCase() as RunMode;
export const samplingMethodName = (value: number) =>
  nameOf(study.SamplingMethod, value).toLowerCase() as SamplingMethod;
export const dmdAbsenceName = (value: number) => nameOf(study.DmdAbsence, value).toLowerCase() as DmdAbsence;
export const outerScheduleName = (value: number) =>
  nameOf(study.OuterSchedule, value).toLowerCase() as OuterSchedule;
export const artifactKindName = (value: number) =>
  nameOf(service.ArtifactKind, value).toLowerCase() as ArtifactKind;
export const roleName = (value: number) => nameOf(service.Role, value) as Role;
export const datasetFilesStateName = (value: number) =>
  nameOf(service.DatasetFilesState, value) as DatasetFilesState;
export const studyStateName = (value: number) => nameOf(study.StudyState, value) as StudyState;
export const trialStateName = (value: number) => nameOf(study.TrialState, value) as TrialState;
export const verdictName = (value: number) => nameOf(dmd.Verdict, value) as Verdict;

/** Names that a caller may choose from, in lower case. */
export const choices = (values: ProtoEnum): string[] => names(values).map((name) => name.toLowerCase());

/** Names that the server observes, in upper case. */
export const names = (values: ProtoEnum): string[] =>
  Object.keys(values).filter((name) => !NOT_SENT.has(name));

/** The value of a name that a caller chose, one of {@link choices}. */
export const enumValue = <Value extends number>(
  values: Readonly<Record<string, Value>>,
  name: string | undefined,
): Value | undefined => (name === undefined ? undefined : values[name.toUpperCase()]);

const NOT_SENT: ReadonlySet<string> = new Set(['UNSPECIFIED', 'UNRECOGNIZED']);

function nameOf(values: ProtoEnum, value: number): string {
  const name = Object.keys(values).find((key) => values[key] === value);
  return name === undefined || NOT_SENT.has(name) ? 'UNKNOWN' : name;
}

/** Enums whose values callers choose. */
const CHOSEN: readonly ProtoEnum[] = [
  ...[
    study.Estimator,
    study.Scale,
    study.EvaluationPoint,
    study.Differentiation,
    study.Grouping,
    study.RunMode,
  ],
  ...[study.SamplingMethod, study.DmdAbsence, study.OuterSchedule],
  ...[dmd.Variant, dmd.Scaling, dmd.Selection, dmd.Anchor],
];
const CHOSEN_NAMES: ReadonlySet<string> = new Set(CHOSEN.flatMap(names));

/** What the server says, where it names values of the contract, as callers of the SDK write them: FIXED is 'fixed'. */
export const asCallersWrite = (text: string): string =>
  text.replace(/\b[A-Z]{3,}(?:_[A-Z]+)*\b/g, (word) =>
    CHOSEN_NAMES.has(word) ? `'${word.toLowerCase()}'` : word,
  );
