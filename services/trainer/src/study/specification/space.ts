/** The search space: which parameters there are, and what each of them may be. */

import {
  Estimator,
  Grouping,
  type NetworkParameter,
  type Parameter,
  type SearchSpace,
} from '@glocal/proto/glocal/v1/study';
import type { HyperparameterInfo, OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import { REWEIGHTING } from '../../inner/reweighting-size.ts';
import { requirements, withCondition } from '../conditions.ts';
import { problemField } from '../problem-fields.ts';
import { unlisted } from '../unlisted.ts';
import type { Checker } from './checker.ts';
import { completeChoice, kindsOf, makesTrials } from './choice.ts';
import { SPACE } from './defaults.ts';
import { type Domain, infosOf } from './domain.ts';
import { completeFixed } from './fixed.ts';
import { completeFloat } from './float.ts';
import { idFault } from './ids.ts';
import { listedParameters } from './listed.ts';
import { completeScheduled } from './scheduled.ts';

const MAX_HIDDEN_UNITS = 1_024;

export function completeSpace(
  requested: SearchSpace | undefined,
  domain: Domain,
  estimator: Estimator,
  check: Checker,
): SearchSpace {
  const noName = (name: string) => (name === '' ? 'has no name' : undefined);
  const listed = requested?.parameters ?? [];
  const parameters = Array.from(listedParameters(requested, noName, check), ({ parameter, path }) => {
    const optimizers = domain.optimizers.filter(({ id }) => mayExistWith(id, parameter, listed));
    const context = { domain: { ...domain, optimizers }, estimator };
    return withCondition(completeParameter(parameter, path, context, check), parameter);
  });
  const names = new Set(parameters.map(({ name }) => name));
  for (const optimizer of domain.optimizers) {
    const there = parameters.filter((parameter) => mayExistWith(optimizer.id, parameter, listed));
    checkNeeded(optimizer, there, check);
  }
  // Where trials have different optimizers, each has the defaults of its own.
  if (!names.has('optimizer')) {
    parameters.push(...unlisted(domain.optimizers[0]?.hyperparameters ?? [], parameters));
  }
  checkMovesAnything(parameters, estimator, check);
  return { parameters };
}

/** Checks the parameters that exist in some trials. */
export function checkTrialSpace(
  { parameters }: SearchSpace,
  estimator: Estimator,
  optimizer: OptimizerInfo | undefined,
  check: Checker,
): void {
  if (optimizer !== undefined) checkNeeded(optimizer, parameters, check);
  checkMovesAnything(parameters, estimator, check);
}

/** Whether a parameter exists in trials with an optimizer, as far as that matters. */
const mayExistWith = (optimizer: string, parameter: Parameter, listed: readonly Parameter[]): boolean =>
  requirements(parameter, listed).get('optimizer')?.includes(optimizer) ?? true;

function checkNeeded(
  { id, hyperparameters }: OptimizerInfo,
  parameters: readonly Parameter[],
  check: Checker,
): void {
  for (const { name, defaultValue } of hyperparameters) {
    const isThere = parameters.some((parameter) => parameter.name === name);
    check.require(isThere || defaultValue !== undefined, `space.${name}`, `${id} needs it`);
  }
}

/** Whether hypergradients move weights of classes or examples in the loss: vectors by class, and the network that weighs examples. */
export const movesWeights = ({ parameters }: SearchSpace): boolean =>
  parameters.some(
    ({ kind }) =>
      kind?.$case === 'network' || (kind?.$case === 'float' && kind.value.grouping === Grouping.CLASS),
  );

function checkMovesAnything(parameters: readonly Parameter[], estimator: Estimator, check: Checker): void {
  check.require(
    estimator === Estimator.FIXED ||
      parameters.some(({ kind }) => kind?.$case === 'float' || kind?.$case === 'network'),
    'space',
    'has nothing that hypergradients could move; make at least one parameter a float, or use the estimator FIXED',
  );
}

function completeParameter(
  parameter: Parameter,
  path: string,
  { domain, estimator }: { readonly domain: Domain; readonly estimator: Estimator },
  check: Checker,
): Parameter {
  const { name, kind } = parameter;
  const field = problemField(name);
  const isNetwork = name === REWEIGHTING;
  const infos = name === '' || isNetwork || field !== undefined ? [] : infosOf(name, path, domain, check);
  check.require(
    field === undefined || parameter.condition === undefined,
    `${path}.condition`,
    'is not for a field of the problem, which every trial has',
  );
  if (kind === undefined) {
    check.require(false, path, 'has no kind: it is neither float nor fixed nor any other');
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
  if (makesTrials(kind)) {
    const fault = (id: string) => faultOf(name, id, domain);
    return { name, kind: completeChoice(kind, path, { field, infos, fault }, check) };
  }
  if (field !== undefined) {
    check.require(false, path, `is a field of the problem: set it there, or make it ${kindsOf(field)}`);
    return parameter;
  }
  switch (kind.$case) {
    case 'float':
      checkMoves(infos, path, check);
      return { name, kind: { $case: 'float', value: completeFloat(kind.value, path, infos, check) } };
    case 'fixed':
      return { name, kind: { $case: 'fixed', value: completeFixed(kind.value, path, infos, check) } };
    case 'scheduled': {
      checkMoves(infos, path, check);
      const context = {
        infos,
        estimator,
        steps: domain.steps,
        replayed: domain.catalogue === undefined ? ('unread' as const) : domain.catalogue.replays?.get(path),
      };
      const value = completeScheduled(kind.value, path, context, check);
      return { name, kind: { $case: 'scheduled', value } };
    }
    case 'network':
      return { name, kind: { $case: 'network', value: completeNetwork(kind.value, path, check) } };
  }
}

/** Records a setting, which keeps one value. */
function checkMoves(infos: readonly HyperparameterInfo[], path: string, check: Checker): void {
  const isSetting = infos.some(({ setting }) => setting);
  check.require(!isSetting, path, 'keeps one value for the whole of a trial; make it fixed, int or discrete');
}

/** What is wrong with a name that a parameter chooses. */
const faultOf = (parameter: string, id: string, { catalogue }: Domain): string | undefined =>
  catalogue !== undefined && Object.hasOwn(idFault, parameter)
    ? idFault[parameter as keyof typeof idFault](id, catalogue)
    : undefined;

function completeNetwork(requested: NetworkParameter, path: string, check: Checker): NetworkParameter {
  const hiddenUnits = requested.hiddenUnits || SPACE.hiddenUnits;
  check.whole(hiddenUnits, [1, MAX_HIDDEN_UNITS], `${path}.hidden_units`, 'units');
  return { hiddenUnits, detached: requested.detached };
}
