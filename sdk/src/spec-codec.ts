/** Specifications of studies and the messages of the contract that carry them. */

import * as dmd from '@glocal/proto/glocal/v1/dmd';
import * as proto from '@glocal/proto/glocal/v1/study';
import {
  anchorName,
  choices,
  differentiationName,
  estimatorName,
  evaluationPointName,
  groupingName,
  scaleName,
  scalingName,
  selectionName,
  variantName,
} from './enums.ts';
import { type FieldViolation, GlocalError } from './error.ts';
import { fixed, float, network, type Parameter, type ParameterMap, vector } from './space.ts';
import type { CompleteStudySpec, DmdOptions, OuterOptimizer, StudySpec } from './spec.ts';

/**
 * The message of the contract.
 * @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, for what the message cannot carry to the server: a
 *   fraction where it has whole numbers, a name that is none of its enums.
 */
export function encodeSpec(spec: StudySpec): proto.Study {
  const { problem, training, method } = spec;
  const violations: FieldViolation[] = [];
  const whole = (value: number, field: string, [least, most] = INT32): number => {
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    violations.push({ field, description: `${value} is not a whole number from ${least} to ${most}` });
    return 0;
  };
  const choice = <Value extends number>(
    values: Readonly<Record<string, Value>>,
    name: string | undefined,
    field: string,
  ): Value | 0 => {
    if (name === undefined) return 0;
    const value = choices(values).includes(name) ? values[name.toUpperCase()] : undefined;
    if (value !== undefined) return value;
    violations.push({ field, description: `"${name}" is unknown; one of ${choices(values).join(', ')}` });
    return 0;
  };
  const parameter = ([name, value]: [string, Parameter]): proto.Parameter => {
    switch (value.kind) {
      case 'fixed':
        return { name, kind: { $case: 'fixed', value: { value: value.value } } };
      case 'network': {
        const hiddenUnits = whole(value.hiddenUnits ?? 0, `space.${name}.hiddenUnits`);
        return {
          name,
          kind: { $case: 'network', value: { hiddenUnits, detached: value.detached ?? false } },
        };
      }
      default: {
        const { min, max, init: initial } = value;
        const scale = choice(proto.Scale, value.scale, `space.${name}.scale`);
        const per = value.kind === 'vector' ? value.per : 'none';
        const grouping = choice(proto.Grouping, per, `space.${name}.per`);
        return { name, kind: { $case: 'float', value: { min, max, initial, scale, grouping } } };
      }
    }
  };

  const study = proto.Study.create({
    displayName: spec.displayName ?? '',
    space: { parameters: Object.entries(spec.space.parameters).map(parameter) },
    problem: {
      dataset: problem.dataset,
      model: problem.model,
      optimizer: problem.optimizer,
      batchSize: whole(problem.batchSize ?? 0, 'problem.batchSize'),
      validationExamples: whole(problem.validationExamples ?? 0, 'problem.validationExamples'),
      standardize: problem.standardize,
      imbalanceFactor: problem.imbalanceFactor ?? 0,
      augmentation: problem.augmentation && {
        cropPadding: whole(problem.augmentation.cropPadding ?? 0, 'problem.augmentation.cropPadding'),
        horizontalFlip: problem.augmentation.horizontalFlip ?? false,
      },
    },
    training: {
      steps: whole(training.steps, 'training.steps'),
      seeds: training.seeds?.map((seed, i) => whole(seed, `training.seeds[${i}]`, UINT32)) ?? [],
    },
    method: {
      estimator: choice(proto.Estimator, method.estimator, 'method.estimator'),
      window: whole(method.window ?? 0, 'method.window'),
      sigma: whole(method.sigma ?? 0, 'method.sigma'),
      stride: whole(method.stride ?? 0, 'method.stride'),
      evaluation: choice(proto.EvaluationPoint, method.evaluation, 'method.evaluation'),
      averaging: method.averaging,
      sensitivityDiscount: method.sensitivityDiscount ?? 0,
      differentiation: choice(proto.Differentiation, method.differentiation, 'method.differentiation'),
      reverseSteps: whole(method.reverseSteps ?? 0, 'method.reverseSteps'),
      validationSample: whole(method.validationSample ?? 0, 'method.validationSample'),
      validationSeed: whole(method.validationSeed ?? 0, 'method.validationSeed', UINT32),
      trainings: whole(method.trainings ?? 0, 'method.trainings'),
      outer: { ...method.outer },
      dmd: {
        variant: choice(dmd.Variant, method.dmd?.variant, 'method.dmd.variant'),
        clip: method.dmd?.clip,
        ridge: method.dmd?.ridge,
        delays:
          method.dmd?.delays === undefined
            ? undefined
            : whole(method.dmd.delays, 'method.dmd.delays', UINT32),
        svdRank: method.dmd?.svdRank,
        tolerance: method.dmd?.tolerance,
        scaling: choice(dmd.Scaling, method.dmd?.scaling, 'method.dmd.scaling'),
        selection: choice(dmd.Selection, method.dmd?.selection, 'method.dmd.selection'),
        anchor: choice(dmd.Anchor, method.dmd?.anchor, 'method.dmd.anchor'),
        includeContributions: method.dmd?.includeContributions ?? false,
      },
    },
  });
  if (violations.length > 0) throw GlocalError.invalid('NOT_ENCODABLE', violations);
  return study;
}

const INT32 = [-(2 ** 31), 2 ** 31 - 1] as const;
const UINT32 = [0, 2 ** 32 - 1] as const;

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
    variant: variantName(variant ?? dmd.Variant.HANKEL),
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
