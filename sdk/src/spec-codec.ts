/**
 * Specifications of studies and the messages of the contract that carry them. What a newer server says beyond this version goes along, so that
 * it has it again when the specification is sent back.
 */

import * as dmd from '@glocal/proto/glocal/v1/dmd';
import * as proto from '@glocal/proto/glocal/v1/study';
import { unknownOf } from '@glocal/proto/unknown-fields';
import { duration, milliseconds } from './duration.ts';
import {
  anchorName,
  differentiationName,
  dmdAbsenceName,
  enumValue,
  estimatorName,
  evaluationPointName,
  outerScheduleName,
  type RunMode,
  runModeName,
  samplingMethodName,
  scalingName,
  selectionName,
  variantName,
} from './enums.ts';
import type { ParameterMap, Space } from './space.ts';
import { decodeSpace, encodeSpace } from './space-codec.ts';
import type {
  CompleteStudySpec,
  DmdOptions,
  ExternalStudySpec,
  Method,
  OuterOptimizer,
  Problem,
  Sampling,
  StudySpec,
} from './spec.ts';

/**
 * The message of the contract. What the caller leaves out stays unset: defaults are the server's.
 * @param spec as `check/specification.ts` accepts it
 */
export function encodeSpec<P extends ParameterMap>(spec: StudySpec<P> | ExternalStudySpec<P>): proto.Study {
  const problem: Partial<Problem> = spec.problem ?? {};
  const { displayName, labels, priority, training, method, sampling, mode, decisionTimeout } = spec;
  return proto.Study.fromPartial(
    settable({
      ...unknownOf(spec),
      displayName,
      labels,
      priority,
      space: encodeSpace(spec.space),
      problem: isNone(spec.mode, problem) ? undefined : settable(problem),
      training: { ...unknownOf(training), steps: training.steps, seeds: [...(training.seeds ?? [])] },
      method: encodeMethod(method),
      sampling: sampling && encodeSampling(sampling),
      mode: enumValue(proto.RunMode, mode),
      // 0 in the complete specification of a study that is not driven.
      decisionTimeout: decisionTimeout ? duration(decisionTimeout) : undefined,
    }),
  );
}

/** Whether the problem is that of an external study as it came from the server: there is none. */
const isNone = (
  mode: RunMode | undefined,
  { dataset, model, optimizer, module }: Partial<Problem>,
): boolean => mode === 'external' && !dataset && !model && !optimizer && !module;

function encodeMethod({ overhead, ...method }: Method): proto.Method {
  return proto.Method.fromPartial(
    settable({
      ...method,
      estimator: enumValue(proto.Estimator, method.estimator),
      evaluation: enumValue(proto.EvaluationPoint, method.evaluation),
      differentiation: enumValue(proto.Differentiation, method.differentiation),
      dmdAbsence: enumValue(proto.DmdAbsence, method.dmdAbsence),
      dmd: method.dmd && encodeDmdOptions(method.dmd),
      outer: method.outer && encodeOuter(method.outer),
      cost: encodeCost(overhead),
    }),
  );
}

const encodeCost = (overhead: Method['overhead']): proto.Method['cost'] => {
  if (overhead === undefined) return undefined;
  return overhead === 'exact' ? { $case: 'exact', value: true } : { $case: 'overhead', value: overhead };
};

const encodeOuter = (outer: OuterOptimizer): proto.OuterOptimizer =>
  proto.OuterOptimizer.fromPartial(
    settable({ ...outer, schedule: enumValue(proto.OuterSchedule, outer.schedule) }),
  );

const encodeSampling = (sampling: Sampling): proto.Sampling =>
  proto.Sampling.fromPartial(
    settable({ ...sampling, method: enumValue(proto.SamplingMethod, sampling.method) }),
  );

/** What is left out stays unset. */
export function encodeDmdOptions(options: DmdOptions): dmd.DmdOptions {
  return dmd.DmdOptions.fromPartial(
    settable({
      ...options,
      variant: enumValue(dmd.Variant, options.variant),
      scaling: enumValue(dmd.Scaling, options.scaling),
      selection: enumValue(dmd.Selection, options.selection),
      anchor: enumValue(dmd.Anchor, options.anchor),
    }),
  );
}

/** To the generated code a property that is undefined is one that is not set; only its types say otherwise. */
const settable = <Fields extends object>(fields: Fields) =>
  fields as { readonly [Key in keyof Fields]: Exclude<Fields[Key], undefined> };

/** What the server made of a specification. */
export function decodeSpec<P extends ParameterMap>(message: proto.Study): CompleteStudySpec<P> {
  const { displayName, labels, priority, problem, training, method, sampling, mode, decisionTimeout } =
    message;
  const { method: samplingMethod, ...points } = proto.Sampling.create(sampling);
  return {
    ...unknownOf(message),
    displayName,
    labels: { ...labels },
    priority,
    // The server answers with the names that were sent, and adds those that keep their defaults.
    space: decodeSpace(message.space) as Space<P>,
    problem: decodeProblem(proto.Problem.create(problem)),
    training: proto.Training.create(training),
    method: decodeMethod(proto.Method.create(method)),
    sampling: { method: samplingMethodName(samplingMethod), ...points },
    mode: runModeName(mode),
    decisionTimeout: milliseconds(decisionTimeout),
  };
}

function decodeMethod({ tangentExamples, cost, ...method }: proto.Method): CompleteStudySpec['method'] {
  return {
    ...method,
    ...(tangentExamples !== undefined && { tangentExamples }),
    ...(cost !== undefined && { overhead: cost.$case === 'exact' ? 'exact' : cost.value }),
    estimator: estimatorName(method.estimator),
    evaluation: evaluationPointName(method.evaluation),
    averaging: filledIn(method.averaging),
    differentiation: differentiationName(method.differentiation),
    dmdAbsence: dmdAbsenceName(method.dmdAbsence),
    // 0 in studies that were made before windows could be sparse.
    interval: method.interval || method.window,
    warmupWindows: method.warmupWindows || 1,
    warmupWindowSteps: method.warmupWindowSteps || method.window,
    dmd: decodeDmdOptions(dmd.DmdOptions.create(method.dmd)),
    outer: decodeOuter(method.outer),
  };
}

function decodeProblem({
  standardize,
  augmentation,
  options,
  ...problem
}: proto.Problem): CompleteStudySpec['problem'] {
  return {
    ...problem,
    ...(standardize !== undefined && { standardize }),
    ...(options !== undefined && { options }),
    augmentation: proto.Augmentation.create(augmentation),
  };
}

function decodeDmdOptions(options: dmd.DmdOptions): Required<DmdOptions> {
  const { variant, delays, svdRank, tolerance, clip, ridge, lastShare, scaling, includeContributions } =
    options;
  return {
    ...unknownOf(options),
    selection: selectionName(options.selection),
    anchor: anchorName(options.anchor),
    variant: variantName(variant ?? dmd.Variant.UNSPECIFIED),
    clip: filledIn(clip),
    ridge: filledIn(ridge),
    // Not there in studies that were made before it was.
    lastShare: lastShare ?? 0,
    delays: filledIn(delays),
    svdRank: filledIn(svdRank),
    tolerance: filledIn(tolerance),
    scaling: scalingName(scaling),
    includeContributions,
  };
}

function decodeOuter(outer: proto.OuterOptimizer | undefined): Required<OuterOptimizer> {
  return {
    ...(outer && unknownOf(outer)),
    rate: filledIn(outer?.rate),
    beta1: filledIn(outer?.beta1),
    beta2: filledIn(outer?.beta2),
    epsilon: filledIn(outer?.epsilon),
    schedule: outerScheduleName(outer?.schedule ?? proto.OuterSchedule.UNSPECIFIED),
    // Not there in studies that were made before it was.
    maxLossRise: outer?.maxLossRise ?? 0,
    normalize: outer?.normalize ?? false,
  };
}

/** A number that the server states in every study it returns. */
const filledIn = (value: number | undefined): number => value ?? Number.NaN;
