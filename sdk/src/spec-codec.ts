/** Specifications of studies and the messages of the contract that carry them. */

import * as dmd from '@glocal/proto/glocal/v1/dmd';
import * as proto from '@glocal/proto/glocal/v1/study';
import {
  anchorName,
  differentiationName,
  enumValue,
  estimatorName,
  evaluationPointName,
  groupingName,
  scaleName,
  scalingName,
  selectionName,
  variantName,
} from './enums.ts';
import { fixed, float, network, type Parameter, type ParameterMap, vector } from './space.ts';
import type { CompleteStudySpec, DmdOptions, OuterOptimizer, StudySpec } from './spec.ts';

/**
 * The message of the contract. What the caller leaves out stays unset: defaults are the server's.
 * @param spec as `check/specification.ts` accepts it
 */
export function encodeSpec({ displayName, space, problem, training, method }: StudySpec): proto.Study {
  return proto.Study.fromPartial(
    settable({
      displayName,
      space: { parameters: Object.entries(space.parameters).map(encodeParameter) },
      problem: settable(problem),
      training: { steps: training.steps, seeds: [...(training.seeds ?? [])] },
      method: settable({
        estimator: enumValue(proto.Estimator, method.estimator),
        window: method.window,
        sigma: method.sigma,
        stride: method.stride,
        evaluation: enumValue(proto.EvaluationPoint, method.evaluation),
        averaging: method.averaging,
        sensitivityDiscount: method.sensitivityDiscount,
        differentiation: enumValue(proto.Differentiation, method.differentiation),
        reverseSteps: method.reverseSteps,
        validationSample: method.validationSample,
        validationSeed: method.validationSeed,
        trainings: method.trainings,
        dmd: method.dmd && encodeDmdOptions(method.dmd),
        outer: method.outer,
      }),
    }),
  );
}

function encodeDmdOptions(options: DmdOptions): dmd.DmdOptions {
  return dmd.DmdOptions.fromPartial(
    settable({
      variant: enumValue(dmd.Variant, options.variant),
      delays: options.delays,
      svdRank: options.svdRank,
      tolerance: options.tolerance,
      clip: options.clip,
      ridge: options.ridge,
      scaling: enumValue(dmd.Scaling, options.scaling),
      selection: enumValue(dmd.Selection, options.selection),
      anchor: enumValue(dmd.Anchor, options.anchor),
      includeContributions: options.includeContributions,
    }),
  );
}

/** To the generated code a property that is undefined is one that is not set; only its types say otherwise. */
const settable = <Fields extends object>(fields: Fields) =>
  fields as { readonly [Key in keyof Fields]: Exclude<Fields[Key], undefined> };

function encodeParameter([name, value]: [string, Parameter]): proto.Parameter {
  switch (value.kind) {
    case 'fixed':
      return { name, kind: { $case: 'fixed', value: { value: value.value } } };
    case 'network':
      return {
        name,
        kind: {
          $case: 'network',
          value: proto.NetworkParameter.fromPartial(
            settable({ hiddenUnits: value.hiddenUnits, detached: value.detached }),
          ),
        },
      };
    default: {
      const { min, max, init: initial } = value;
      const scale = enumValue(proto.Scale, value.scale) ?? proto.Scale.UNSPECIFIED;
      // float() is one value, whatever the hyperparameter has by default: the types of its values say so.
      const grouping = value.kind === 'vector' ? enumValue(proto.Grouping, value.per) : undefined;
      return {
        name,
        kind: {
          $case: 'float',
          value: proto.FloatParameter.create({
            min,
            max,
            initial,
            scale,
            grouping: grouping ?? proto.Grouping.NONE,
          }),
        },
      };
    }
  }
}

/** What the server made of a specification. */
export function decodeSpec<P extends ParameterMap>(message: proto.Study): CompleteStudySpec<P> {
  const { displayName, space, problem, training, method } = message;
  const { estimator, window, sigma, dmd: options, outer, ...rest } = proto.Method.create(method);
  return {
    displayName,
    // The server answers with the names that were sent, and adds those that keep their defaults.
    space: { parameters: decodeParameters(space) as P },
    problem: decodeProblem(proto.Problem.create(problem)),
    training: proto.Training.create(training),
    method: {
      estimator: estimatorName(estimator),
      window,
      sigma,
      stride: rest.stride,
      evaluation: evaluationPointName(rest.evaluation),
      averaging: filledIn(rest.averaging),
      sensitivityDiscount: rest.sensitivityDiscount,
      differentiation: differentiationName(rest.differentiation),
      reverseSteps: rest.reverseSteps,
      validationSample: rest.validationSample,
      validationSeed: rest.validationSeed,
      trainings: rest.trainings,
      dmd: decodeDmdOptions(dmd.DmdOptions.create(options)),
      outer: decodeOuter(outer),
    },
  };
}

function decodeProblem({
  standardize,
  augmentation,
  ...problem
}: proto.Problem): CompleteStudySpec['problem'] {
  return {
    ...problem,
    ...(standardize !== undefined && { standardize }),
    augmentation: proto.Augmentation.create(augmentation),
  };
}

function decodeParameters(space: proto.SearchSpace | undefined): ParameterMap {
  const decoded: [string, Parameter][] = [];
  for (const { name, kind } of space?.parameters ?? []) {
    if (kind?.$case === 'float') {
      const { min, max, initial: init, scale, grouping } = kind.value;
      const options = { min, max, init, scale: scaleName(scale) };
      const per = groupingName(grouping);
      decoded.push([name, per === 'layer' || per === 'class' ? vector({ ...options, per }) : float(options)]);
    } else if (kind?.$case === 'network') {
      decoded.push([name, network(kind.value)]);
    } else if (kind?.$case === 'fixed') {
      decoded.push([name, fixed(kind.value.value)]);
    }
  }
  return Object.fromEntries(decoded);
}

function decodeDmdOptions(options: dmd.DmdOptions): Required<DmdOptions> {
  const { variant, delays, svdRank, tolerance, clip, ridge, scaling, includeContributions } = options;
  return {
    selection: selectionName(options.selection),
    anchor: anchorName(options.anchor),
    variant: variantName(variant ?? dmd.Variant.UNSPECIFIED),
    clip: filledIn(clip),
    ridge: filledIn(ridge),
    delays: filledIn(delays),
    svdRank: filledIn(svdRank),
    tolerance: filledIn(tolerance),
    scaling: scalingName(scaling),
    includeContributions,
  };
}

function decodeOuter(outer: proto.OuterOptimizer | undefined): Required<OuterOptimizer> {
  return {
    rate: filledIn(outer?.rate),
    beta1: filledIn(outer?.beta1),
    beta2: filledIn(outer?.beta2),
    epsilon: filledIn(outer?.epsilon),
  };
}

/** A number that the server states in every study it returns. */
const filledIn = (value: number | undefined): number => value ?? Number.NaN;
