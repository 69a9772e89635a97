/** Checks a study and fills its defaults in, before anything trains. Pure: the catalogue and the limits come in. */

import { type DmdOptions, Scaling } from '@glocal/proto/glocal/v1/dmd';
import {
  Estimator,
  type FloatParameter,
  type Method,
  type Parameter,
  type Problem,
  Scale,
  type SearchSpace,
  type Study,
  StudyState,
  type Training,
} from '@glocal/proto/glocal/v1/study';
import type {
  DatasetInfo,
  HyperparameterInfo,
  Limits,
  OptimizerInfo,
} from '@glocal/proto/glocal/v1/study_service';
import type { FieldViolation } from '../api/errors.ts';
import type { Catalogue } from './catalogue.ts';

/** A problem whose three parts are all known, as far as they are. */
interface ResolvedProblem {
  readonly dataset: DatasetInfo | undefined;
  readonly optimizer: OptimizerInfo | undefined;
}

/** Collects violations under a path. */
class Checker {
  readonly violations: FieldViolation[] = [];

  /** Records `description` for `field` unless `condition` holds; tells whether it does. */
  require(condition: boolean, field: string, description: string): boolean {
    if (!condition) this.violations.push({ field, description });
    return condition;
  }
}

/**
 * Checks what a caller asked for.
 * @returns the study with every default filled in, and one violation per problem (paths in proto names; `space.lr.min`
 *   for the parameter named `lr`). The study is only meaningful without violations.
 */
export function completeStudy(
  requested: Study,
  catalogue: Catalogue,
  limits: Limits,
): { study: Study; violations: readonly FieldViolation[] } {
  const check = new Checker();
  check.require(requested.displayName.length <= 200, 'display_name', 'is longer than 200 characters');
  const { problem, resolved } = completeProblem(requested.problem, catalogue, check);
  const method = completeMethod(requested.method, check);
  const training = completeTraining(requested.training, method, limits, check);
  const space = completeSpace(requested.space, resolved.optimizer, method.estimator, check);
  const study: Study = {
    name: '',
    displayName: requested.displayName,
    space,
    problem,
    training,
    method: withOuterRate(method, training),
    state: StudyState.ACTIVE,
    stateReason: '',
    createTime: undefined,
    updateTime: undefined,
  };
  return { study, violations: check.violations };
}

function completeProblem(
  requested: Problem | undefined,
  catalogue: Catalogue,
  check: Checker,
): { problem: Problem; resolved: ResolvedProblem } {
  const { dataset: datasetId = '', model: modelId = '', optimizer: optimizerId = '' } = requested ?? {};
  const dataset = catalogue.datasets.find(({ id }) => id === datasetId);
  const model = catalogue.models.find(({ info }) => info.id === modelId);
  const optimizer = catalogue.optimizers.find(({ id }) => id === optimizerId);
  const known = (ids: string[]) => `one of ${ids.join(', ')}`;
  check.require(
    dataset !== undefined,
    'problem.dataset',
    `unknown data set "${datasetId}"; ${known(catalogue.datasets.map(({ id }) => id))}`,
  );
  check.require(
    model !== undefined,
    'problem.model',
    `unknown model "${modelId}"; ${known(catalogue.models.map(({ info }) => info.id))}`,
  );
  check.require(
    optimizer !== undefined,
    'problem.optimizer',
    `unknown optimizer "${optimizerId}"; ${known(catalogue.optimizers.map(({ id }) => id))}`,
  );
  if (dataset !== undefined && model !== undefined) {
    const why = model.rejects(dataset);
    check.require(why === undefined, 'problem.model', `${modelId} cannot be trained on ${datasetId}: ${why}`);
  }

  const batchSize = requested?.batchSize || 128;
  const trainExamples = dataset?.trainExamples ?? Number.MAX_SAFE_INTEGER;
  const validationExamples = requested?.validationExamples || Math.round(trainExamples / 10);
  const sizesPositive =
    check.require(batchSize >= 1, 'problem.batch_size', `${batchSize} is not positive`) &&
    check.require(
      validationExamples >= 1,
      'problem.validation_examples',
      `${validationExamples} is not positive`,
    );
  if (sizesPositive && dataset !== undefined) {
    const left = trainExamples - validationExamples;
    check.require(
      left > 0,
      'problem.validation_examples',
      `${validationExamples} of the ${trainExamples} training examples leaves nothing to train on`,
    );
    if (left > 0) {
      check.require(
        batchSize <= left,
        'problem.batch_size',
        `${batchSize} is more than the ${left} examples that are left for training`,
      );
    }
  }
  return {
    problem: { dataset: datasetId, model: modelId, optimizer: optimizerId, batchSize, validationExamples },
    resolved: { dataset, optimizer },
  };
}

const DEFAULT_WINDOW = 50;
const DEFAULT_SIGMA = 20;

function completeMethod(requested: Method | undefined, check: Checker): Method {
  const estimator = requested?.estimator ?? Estimator.UNSPECIFIED;
  check.require(
    estimator !== Estimator.UNSPECIFIED && estimator !== Estimator.UNRECOGNIZED,
    'method.estimator',
    'is missing; one of FIXED, LOCAL, MEAN, MEDIAN, GLOCAL',
  );
  const window = requested?.window || DEFAULT_WINDOW;
  const windowPositive = check.require(
    window >= 1,
    'method.window',
    `${window} is not a positive number of steps`,
  );
  const usesWindow =
    estimator === Estimator.MEAN || estimator === Estimator.MEDIAN || estimator === Estimator.GLOCAL;
  const sigma = requested?.sigma || DEFAULT_SIGMA;
  const dmd = completeDmd(requested?.dmd, check);
  if (usesWindow && check.require(sigma >= 1, 'method.sigma', `${sigma} is not a positive number of rows`)) {
    const { delays } = dmd;
    const least = (delays ?? 0) + 1;
    if (estimator === Estimator.GLOCAL) {
      check.require(
        sigma >= least,
        'method.sigma',
        `${sigma} is too short for delays = ${delays}; at least ${least}, ${2 * (least - 1)} is a good start`,
      );
    }
    if (windowPositive) {
      check.require(
        sigma <= window,
        'method.sigma',
        `${sigma} hypergradients do not fit into ${window} inner steps; at most method.window`,
      );
    }
  }
  const outer = completeOuter(requested?.outer, check);
  return { estimator, window, sigma, dmd, outer };
}

function completeDmd(requested: DmdOptions | undefined, check: Checker): DmdOptions {
  const options: DmdOptions = {
    delays: requested?.delays ?? 10,
    svdRank: requested?.svdRank ?? -1,
    tolerance: requested?.tolerance ?? 0.1,
    scaling: requested?.scaling || Scaling.COMPONENT,
    includeContributions: requested?.includeContributions ?? false,
  };
  const { delays, svdRank, tolerance } = options as Required<DmdOptions>;
  check.require(Number(delays) >= 1, 'method.dmd.delays', `${delays} is not positive`);
  const rank = Number(svdRank);
  check.require(
    rank === -1 || (rank >= 0 && rank < 1) || (Number.isInteger(rank) && rank >= 1),
    'method.dmd.svd_rank',
    `${rank} is neither -1 (all), 0 (optimal threshold), a share below 1, nor a whole rank`,
  );
  check.require(
    Number(tolerance) > 0 && Number.isFinite(tolerance),
    'method.dmd.tolerance',
    `${tolerance} is not a positive number`,
  );
  check.require(
    options.scaling !== Scaling.UNRECOGNIZED,
    'method.dmd.scaling',
    'is unknown; one of COMPONENT, GLOBAL, NONE',
  );
  return options;
}

function completeOuter(requested: Method['outer'], check: Checker): NonNullable<Method['outer']> {
  const { rate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = requested ?? {};
  if (rate !== undefined) {
    check.require(rate > 0 && Number.isFinite(rate), 'method.outer.rate', `${rate} is not a positive number`);
  }
  check.require(beta1 >= 0 && beta1 < 1, 'method.outer.beta1', `${beta1} is not in [0, 1)`);
  check.require(beta2 >= 0 && beta2 < 1, 'method.outer.beta2', `${beta2} is not in [0, 1)`);
  check.require(
    epsilon > 0 && Number.isFinite(epsilon),
    'method.outer.epsilon',
    `${epsilon} is not a positive number`,
  );
  return { rate, beta1, beta2, epsilon };
}

/** Default outer rate: 0.3 at up to 40 outer steps, about 0.1 at 400 (docs/method.md, section 7). */
export function defaultOuterRate(outerSteps: number): number {
  return 0.3 * Math.min(1, Math.sqrt(40 / outerSteps));
}

function withOuterRate(method: Method, training: Training): Method {
  const outer = method.outer ?? { rate: undefined, beta1: undefined, beta2: undefined, epsilon: undefined };
  return {
    ...method,
    outer: { ...outer, rate: outer.rate ?? defaultOuterRate(training.steps / method.window) },
  };
}

function completeTraining(
  requested: Training | undefined,
  method: Method,
  limits: Limits,
  check: Checker,
): Training {
  const steps = requested?.steps ?? 0;
  if (check.require(steps >= 1, 'training.steps', `${steps} is not a positive number of steps`)) {
    check.require(
      steps <= limits.maxSteps,
      'training.steps',
      `${steps} is above this server's limit, ${limits.maxSteps}`,
    );
    if (method.window >= 1) {
      const whole = Math.max(1, Math.round(steps / method.window)) * method.window;
      check.require(
        steps % method.window === 0,
        'training.steps',
        `${steps} is not a multiple of method.window = ${method.window}; ${whole} is`,
      );
    }
  }
  const seeds = requested?.seeds.length ? requested.seeds : [0];
  check.require(
    seeds.length <= limits.maxTrials,
    'training.seeds',
    `${seeds.length} seeds are more than the ${limits.maxTrials} trials that a study may have`,
  );
  check.require(new Set(seeds).size === seeds.length, 'training.seeds', 'a seed is repeated');
  return { steps, seeds };
}

const MAX_PARAMETERS = 64;

function completeSpace(
  requested: SearchSpace | undefined,
  optimizer: OptimizerInfo | undefined,
  estimator: Estimator,
  check: Checker,
): SearchSpace {
  const listed = requested?.parameters ?? [];
  check.require(
    listed.length <= MAX_PARAMETERS,
    'space.parameters',
    `${listed.length} are more than the ${MAX_PARAMETERS} that a space may have`,
  );
  const names = new Set<string>();
  const parameters = listed.slice(0, MAX_PARAMETERS).map((parameter, position) => {
    const path = parameter.name === '' ? `space.parameters[${position}]` : `space.${parameter.name}`;
    check.require(parameter.name !== '', path, 'has no name');
    check.require(!names.has(parameter.name), path, 'is listed twice');
    names.add(parameter.name);
    return completeParameter(parameter, path, optimizer, check);
  });
  if (optimizer !== undefined) {
    for (const { name, defaultValue } of optimizer.hyperparameters) {
      if (names.has(name)) continue;
      if (check.require(defaultValue !== undefined, `space.${name}`, `${optimizer.id} needs it`)) {
        parameters.push({ name, kind: { $case: 'fixed', value: { value: defaultValue as number } } });
      }
    }
  }
  if (estimator !== Estimator.FIXED) {
    check.require(
      parameters.some(({ kind }) => kind?.$case === 'float'),
      'space',
      'has nothing that hypergradients could move; make at least one parameter a float, or use the estimator FIXED',
    );
  }
  return { parameters };
}

function completeParameter(
  parameter: Parameter,
  path: string,
  optimizer: OptimizerInfo | undefined,
  check: Checker,
): Parameter {
  const { name, kind } = parameter;
  const domain = optimizer?.hyperparameters.find((hyperparameter) => hyperparameter.name === name);
  if (optimizer !== undefined && name !== '') {
    const known = optimizer.hyperparameters.map((hyperparameter) => hyperparameter.name).join(', ');
    check.require(domain !== undefined, path, `is not a hyperparameter of ${optimizer.id}; it has ${known}`);
  }
  if (!check.require(kind !== undefined, path, 'is neither float nor fixed')) return parameter;
  switch (kind?.$case) {
    case 'float':
      return { name, kind: { $case: 'float', value: completeFloat(kind.value, path, domain, check) } };
    case 'fixed': {
      const { value } = kind.value;
      if (check.require(Number.isFinite(value), `${path}.value`, `${value} is not finite`)) {
        inDomain(value, `${path}.value`, domain, check);
      }
      return parameter;
    }
    default:
      return parameter;
  }
}

function completeFloat(
  requested: FloatParameter,
  path: string,
  domain: HyperparameterInfo | undefined,
  check: Checker,
): FloatParameter {
  const { min, max, initial } = requested;
  const scale = requested.scale || Scale.LOGIT;
  check.require(scale !== Scale.UNRECOGNIZED, `${path}.scale`, 'is unknown; one of LOGIT, LOG, LINEAR');
  const finite = (
    [
      ['min', min],
      ['max', max],
      ['initial', initial],
    ] as const
  ).map(([field, value]) =>
    check.require(Number.isFinite(value), `${path}.${field}`, `${value} is not finite`),
  );
  if (finite.includes(false)) return { min, max, initial, scale };
  inDomain(min, `${path}.min`, domain, check);
  inDomain(max, `${path}.max`, domain, check);
  if (check.require(min < max, `${path}.min`, `${min} is not below max (${max})`)) {
    if (scale === Scale.LOG) {
      check.require(min > 0, `${path}.min`, `${min} is not positive, as the scale LOG needs`);
    }
    const inside = 'the scale LOGIT starts strictly between the bounds';
    if (check.require(initial >= min, `${path}.initial`, `${initial} is below min (${min})`)) {
      check.require(
        initial > min || scale !== Scale.LOGIT,
        `${path}.initial`,
        `${initial} is min; ${inside}`,
      );
    }
    if (check.require(initial <= max, `${path}.initial`, `${initial} is above max (${max})`)) {
      check.require(
        initial < max || scale !== Scale.LOGIT,
        `${path}.initial`,
        `${initial} is max; ${inside}`,
      );
    }
  }
  return { min, max, initial, scale };
}

function inDomain(
  value: number,
  field: string,
  domain: HyperparameterInfo | undefined,
  check: Checker,
): void {
  if (domain === undefined) return;
  const { name, min, max } = domain;
  check.require(
    value >= min && value <= max,
    field,
    `${value} is outside the domain of ${name}, [${min}, ${max}]`,
  );
}
