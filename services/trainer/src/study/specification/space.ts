/** The search space: names, bounds and where each hyperparameter starts. */

import {
  Estimator,
  type FixedParameter,
  type FloatParameter,
  Grouping,
  type NetworkParameter,
  type Parameter,
  Scale,
  type SearchSpace,
} from '@glocal/proto/glocal/v1/study';
import type { HyperparameterInfo, OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import { REWEIGHTING } from '../../inner/training-loss.ts';
import type { Checker } from './checker.ts';
import { SPACE } from './defaults.ts';

export const MAX_PARAMETERS = 64;
const MAX_HIDDEN_UNITS = 1_024;

/** The hyperparameters that there are: undefined while the optimizer is not known. */
interface Domain {
  readonly optimizer: OptimizerInfo;
  readonly all: readonly HyperparameterInfo[];
}

export function completeSpace(
  requested: SearchSpace | undefined,
  optimizer: OptimizerInfo | undefined,
  lossHyperparameters: readonly HyperparameterInfo[],
  estimator: Estimator,
  check: Checker,
): SearchSpace {
  const listed = requested?.parameters ?? [];
  check.require(
    listed.length <= MAX_PARAMETERS,
    'space.parameters',
    `${listed.length} are more than the ${MAX_PARAMETERS} that a space may have`,
  );
  const domain = optimizer && { optimizer, all: [...optimizer.hyperparameters, ...lossHyperparameters] };
  const names = new Set<string>();
  const parameters = listed.slice(0, MAX_PARAMETERS).map((parameter, position) => {
    const path = parameter.name === '' ? `space.parameters[${position}]` : `space.${parameter.name}`;
    check.require(parameter.name !== '', path, 'has no name');
    check.require(!names.has(parameter.name), path, 'is listed twice');
    names.add(parameter.name);
    return completeParameter(parameter, path, domain, check);
  });
  for (const { name, defaultValue } of optimizer?.hyperparameters ?? []) {
    if (names.has(name)) continue;
    if (check.require(defaultValue !== undefined, `space.${name}`, `${optimizer?.id} needs it`)) {
      parameters.push({ name, kind: { $case: 'fixed', value: { value: defaultValue as number } } });
    }
  }
  if (estimator !== Estimator.FIXED) {
    check.require(
      parameters.some(({ kind }) => kind?.$case === 'float' || kind?.$case === 'network'),
      'space',
      'has nothing that hypergradients could move; make at least one parameter a float, or use the estimator FIXED',
    );
  }
  return { parameters };
}

function completeParameter(
  parameter: Parameter,
  path: string,
  domain: Domain | undefined,
  check: Checker,
): Parameter {
  const { name, kind } = parameter;
  const isNetwork = name === REWEIGHTING;
  const info = domain?.all.find((hyperparameter) => hyperparameter.name === name);
  if (domain !== undefined && name !== '' && !isNetwork) {
    const own = domain.optimizer.hyperparameters.map((hyperparameter) => hyperparameter.name).join(', ');
    const others = domain.all.slice(domain.optimizer.hyperparameters.length).map((loss) => loss.name);
    const known = [...others, REWEIGHTING].join(', ');
    check.require(
      info !== undefined,
      path,
      `is a hyperparameter neither of ${domain.optimizer.id} (${own}) nor of the loss (${known})`,
    );
  }
  if (kind === undefined) {
    check.require(false, path, 'is neither float nor fixed nor network');
    return parameter;
  }
  if (
    !check.require(
      (kind.$case === 'network') === isNetwork,
      path,
      isNetwork ? 'must be a network' : `cannot be a network; only ${REWEIGHTING} can`,
    )
  ) {
    return parameter;
  }
  switch (kind.$case) {
    case 'float':
      return { name, kind: { $case: 'float', value: completeFloat(kind.value, path, info, check) } };
    case 'fixed':
      checkFixed(kind.value, path, info, check);
      return parameter;
    case 'network':
      return { name, kind: { $case: 'network', value: completeNetwork(kind.value, path, check) } };
    default:
      check.require(false, path, `cannot be ${kind.$case} yet`);
      return parameter;
  }
}

export function checkFixed(
  { value }: FixedParameter,
  path: string,
  info: HyperparameterInfo | undefined,
  check: Checker,
): void {
  if (check.require(Number.isFinite(value), `${path}.value`, `${value} is not finite`)) {
    inDomain(value, `${path}.value`, info, check);
  }
}

function completeNetwork(requested: NetworkParameter, path: string, check: Checker): NetworkParameter {
  const hiddenUnits = requested.hiddenUnits || SPACE.hiddenUnits;
  check.whole(hiddenUnits, [1, MAX_HIDDEN_UNITS], `${path}.hidden_units`, 'units');
  return { hiddenUnits, detached: requested.detached };
}

export function completeFloat(
  requested: FloatParameter,
  path: string,
  info: HyperparameterInfo | undefined,
  check: Checker,
): FloatParameter {
  const { min, max, initial } = requested;
  const scale = requested.scale || SPACE.scale;
  check.oneOf(scale, Scale, `${path}.scale`);
  const grouping = completeGrouping(requested.grouping, path, info, check);
  const finite = (
    [
      ['min', min],
      ['max', max],
      ['initial', initial],
    ] as const
  ).map(([field, value]) =>
    check.require(Number.isFinite(value), `${path}.${field}`, `${value} is not finite`),
  );
  if (!finite.includes(false)) {
    inDomain(min, `${path}.min`, info, check);
    inDomain(max, `${path}.max`, info, check);
    checkBounds({ min, max, initial, scale }, path, check);
  }
  check.require(requested.size === 0, `${path}.size`, 'is for studies of the mode EXTERNAL; leave it out');
  return { min, max, initial, scale, grouping, initials: [], size: 0 };
}

function completeGrouping(
  requested: Grouping,
  path: string,
  info: HyperparameterInfo | undefined,
  check: Checker,
): Grouping {
  const grouping = requested || (info?.groupings[0] ?? Grouping.NONE);
  if (check.oneOf(grouping, Grouping, `${path}.grouping`) && info !== undefined) {
    check.require(
      info.groupings.includes(grouping),
      `${path}.grouping`,
      `${info.name} has ${info.groupings.map(groupingText).join(' or ')}, not ${groupingText(grouping)}`,
    );
  }
  return grouping;
}

function groupingText(grouping: Grouping): string {
  switch (grouping) {
    case Grouping.LAYER:
      return 'a value for each layer';
    case Grouping.CLASS:
      return 'a value for each class';
    default:
      return 'one value';
  }
}

function checkBounds(
  { min, max, initial, scale }: Pick<FloatParameter, 'min' | 'max' | 'initial' | 'scale'>,
  path: string,
  check: Checker,
): void {
  if (!check.require(min < max, `${path}.min`, `${min} is not below max (${max})`)) return;
  if (scale === Scale.LOG) {
    check.require(min > 0, `${path}.min`, `${min} is not positive, as the scale LOG needs`);
  }
  const inside = 'the scale LOGIT starts strictly between the bounds';
  if (check.require(initial >= min, `${path}.initial`, `${initial} is below min (${min})`)) {
    check.require(initial > min || scale !== Scale.LOGIT, `${path}.initial`, `${initial} is min; ${inside}`);
  }
  if (check.require(initial <= max, `${path}.initial`, `${initial} is above max (${max})`)) {
    check.require(initial < max || scale !== Scale.LOGIT, `${path}.initial`, `${initial} is max; ${inside}`);
  }
}

function inDomain(value: number, field: string, info: HyperparameterInfo | undefined, check: Checker): void {
  if (info === undefined) return;
  const { name, min, max } = info;
  check.require(
    value >= min && value <= max,
    field,
    `${value} is outside the domain of ${name}, [${min}, ${max}]`,
  );
}
