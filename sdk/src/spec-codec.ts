/** Specifications of studies and the messages of the contract that carry them. */

import * as dmd from '@glocal/proto/glocal/v1/dmd';
import * as proto from '@glocal/proto/glocal/v1/study';
import { choices, estimatorName, scaleName, scalingName } from './enums.ts';
import { type FieldViolation, GlocalError } from './error.ts';
import { fixed, float, type Parameter, type ParameterMap } from './space.ts';
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
    if (value.kind === 'fixed') return { name, kind: { $case: 'fixed', value: { value: value.value } } };
    const { min, max, init: initial } = value;
    const scale = choice(proto.Scale, value.scale, `space.${name}.scale`);
    return { name, kind: { $case: 'float', value: { min, max, initial, scale } } };
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
    },
    training: {
      steps: whole(training.steps, 'training.steps'),
      seeds: training.seeds?.map((seed, i) => whole(seed, `training.seeds[${i}]`, UINT32)) ?? [],
    },
    method: {
      estimator: choice(proto.Estimator, method.estimator, 'method.estimator'),
      window: whole(method.window ?? 0, 'method.window'),
      sigma: whole(method.sigma ?? 0, 'method.sigma'),
      outer: { ...method.outer },
      dmd: {
        delays:
          method.dmd?.delays === undefined
            ? undefined
            : whole(method.dmd.delays, 'method.dmd.delays', UINT32),
        svdRank: method.dmd?.svdRank,
        tolerance: method.dmd?.tolerance,
        scaling: choice(dmd.Scaling, method.dmd?.scaling, 'method.dmd.scaling'),
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
  const { estimator, window, sigma, dmd: options, outer } = proto.Method.create(method);
  return {
    displayName,
    // The server answers with the names that were sent, and adds those of the optimizer's others.
    space: { parameters: decodeParameters(space) as P },
    problem: proto.Problem.create(problem),
    training: proto.Training.create(training),
    method: {
      estimator: estimatorName(estimator),
      window,
      sigma,
      dmd: decodeDmdOptions(dmd.DmdOptions.create(options)),
      outer: decodeOuter(outer),
    },
  };
}

function decodeParameters(space: proto.SearchSpace | undefined): ParameterMap {
  const decoded: [string, Parameter][] = [];
  for (const { name, kind } of space?.parameters ?? []) {
    if (kind?.$case === 'float') {
      const { min, max, initial: init, scale } = kind.value;
      decoded.push([name, float({ min, max, init, scale: scaleName(scale) })]);
    } else if (kind?.$case === 'fixed') {
      decoded.push([name, fixed(kind.value.value)]);
    }
  }
  return Object.fromEntries(decoded);
}

function decodeDmdOptions(options: dmd.DmdOptions): Required<DmdOptions> {
  const { delays, svdRank, tolerance, scaling, includeContributions } = options;
  return {
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
