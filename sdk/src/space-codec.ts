/** Search spaces and the messages of the contract that carry them. */

import * as proto from '@glocal/proto/glocal/v1/study';
import { enumValue, groupingName, scaleName } from './enums.ts';
import { contractName, sdkName } from './problem-names.ts';
import {
  bool,
  categorical,
  discrete,
  type FixedParameter,
  type FloatParameter,
  float,
  int,
  network,
  type Parameter,
  type ParameterMap,
  type ParameterSchedule,
  type Space,
  scheduled,
  type VectorParameter,
  vector,
} from './space.ts';
import { branchesOf } from './trial-space.ts';

/** @param space as `check/specification.ts` accepts it */
export const encodeSpace = ({ parameters }: Space): proto.SearchSpace => ({
  parameters: [...encodeParameters(parameters, undefined)],
});

/** Children come after their parent, each with the value that it exists with. */
function* encodeParameters(
  parameters: ParameterMap,
  condition: proto.Condition | undefined,
): Generator<proto.Parameter> {
  for (const [name, parameter] of Object.entries(parameters)) {
    yield { ...encodeParameter(name, parameter), ...(condition && { condition }) };
    for (const [value, children] of branchesOf(parameter)) {
      yield* encodeParameters(children, { parameter: contractName(name), values: [value] });
    }
  }
}

function encodeParameter(name: string, parameter: Parameter): proto.Parameter {
  switch (parameter.kind) {
    case 'float':
    case 'vector':
      return { name, kind: { $case: 'float', value: encodeFloat(parameter) } };
    case 'fixed':
      return { name, kind: { $case: 'fixed', value: encodeFixed(parameter) } };
    case 'scheduled':
      return { name, kind: { $case: 'scheduled', value: { schedule: encodeSchedule(parameter) } } };
    case 'network': {
      const { hiddenUnits = 0, detached = false } = parameter;
      return { name, kind: { $case: 'network', value: { hiddenUnits, detached } } };
    }
    case 'int': {
      const { min, max, step = 0 } = parameter;
      return { name: contractName(name), kind: { $case: 'int', value: { min, max, step } } };
    }
    case 'bool':
      return { name: contractName(name), kind: { $case: 'bool', value: {} } };
    case 'categorical':
      return {
        name: contractName(name),
        kind: { $case: 'categorical', value: { values: [...parameter.values] } },
      };
    case 'discrete':
      return {
        name: contractName(name),
        kind: { $case: 'discrete', value: { values: [...parameter.values] } },
      };
  }
}

function encodeFloat(parameter: FloatParameter | VectorParameter): proto.FloatParameter {
  const { min, max, init, scale } = parameter;
  const { per, size = 0 } = parameter.kind === 'vector' ? parameter : {};
  return proto.FloatParameter.create({
    min,
    max,
    ...(typeof init === 'object' ? { initials: [...init] } : { initial: init }),
    scale: enumValue(proto.Scale, scale) ?? proto.Scale.UNSPECIFIED,
    // float() is one value, whatever the hyperparameter has by default: the types of its values say so.
    grouping: enumValue(proto.Grouping, per) ?? proto.Grouping.NONE,
    size,
  });
}

function encodeFixed({ value, per }: FixedParameter): proto.FixedParameter {
  return proto.FixedParameter.create({
    ...(typeof value === 'object' ? { values: [...value] } : { value }),
    // As with float(): one value, or what the caller says.
    grouping: enumValue(proto.Grouping, per) ?? proto.Grouping.NONE,
  });
}

function encodeSchedule(schedule: ParameterSchedule): proto.ScheduledParameter['schedule'] {
  if ('points' in schedule) {
    const points = schedule.points.map(({ step, value }) => ({ step, value }));
    return { $case: 'points', value: { points } };
  }
  if ('cosine' in schedule) {
    const { peak, final = 0, warmupSteps = 0 } = schedule.cosine;
    return { $case: 'cosine', value: { peak, final, warmupSteps } };
  }
  if ('cooldown' in schedule) {
    const { value, cooldownSteps = 0, warmupSteps = 0 } = schedule.cooldown;
    return { $case: 'cooldown', value: { value, cooldownSteps, warmupSteps } };
  }
  const { trial, parameter = '' } = schedule.replay;
  return { $case: 'replay', value: { trial, parameter } };
}

/** Parameters of a kind that only a newer SDK knows are left out, with those that depend on them. */
export function decodeSpace(space: proto.SearchSpace | undefined): ParameterMap {
  return decodeParameters(space?.parameters ?? [], undefined);
}

/** Those that exist with a value of another parameter, or without condition. */
function decodeParameters(all: readonly proto.Parameter[], parent: Parent | undefined): ParameterMap {
  const here = all.filter(({ condition }) =>
    parent === undefined
      ? condition === undefined
      : condition?.parameter === parent.name && condition.values.includes(parent.value),
  );
  const decoded = here.flatMap((message) =>
    decodeParameter(message).map(([name, parameter]) => [name, withChildren(parameter, message, all)]),
  );
  return Object.fromEntries(decoded);
}

interface Parent {
  /** As the contract has it. */
  readonly name: string;
  readonly value: string;
}

function withChildren(
  parameter: Parameter,
  { name }: proto.Parameter,
  all: readonly proto.Parameter[],
): Parameter {
  const hasChildren = all.some(({ condition }) => condition?.parameter === name);
  if (parameter.kind !== 'categorical' || !hasChildren) return parameter;
  const children = parameter.values.map((value) => [value, decodeParameters(all, { name, value })]);
  return { ...parameter, children: Object.fromEntries(children) };
}

function decodeParameter({ name, kind }: proto.Parameter): [name: string, parameter: Parameter][] {
  if (kind?.$case === 'float') return [[name, decodeFloat(kind.value)]];
  if (kind?.$case === 'fixed') return [[name, decodeFixed(kind.value)]];
  if (kind?.$case === 'scheduled') return Object.entries(decodeScheduled(name, kind.value));
  if (kind?.$case === 'network') return [[name, network(kind.value)]];
  if (kind?.$case === 'int') return [[sdkName(name), int(kind.value)]];
  if (kind?.$case === 'bool') return [[sdkName(name), bool()]];
  if (kind?.$case === 'categorical') return [[sdkName(name), categorical(kind.value.values)]];
  if (kind?.$case === 'discrete') return [[sdkName(name), discrete(kind.value.values)]];
  return [];
}

function decodeFixed({ value, values, grouping }: proto.FixedParameter): FixedParameter {
  const per = groupingName(grouping);
  const isGrouped = per === 'layer' || per === 'class';
  return {
    ...{ kind: 'fixed', value: values.length > 0 ? values : value },
    ...(isGrouped && { per }),
  } as FixedParameter;
}

/** Nothing of a schedule that only a newer SDK knows. */
function decodeScheduled(name: string, { schedule }: proto.ScheduledParameter): Record<string, Parameter> {
  switch (schedule?.$case) {
    case 'points':
      return { [name]: scheduled({ points: schedule.value.points }) };
    case 'cosine':
      return { [name]: scheduled({ cosine: schedule.value }) };
    case 'cooldown':
      return { [name]: scheduled({ cooldown: schedule.value }) };
    case 'replay':
      return { [name]: scheduled({ replay: schedule.value }) };
    default:
      return {};
  }
}

function decodeFloat(value: proto.FloatParameter): Parameter {
  const { min, max, initial, initials, scale, grouping, size } = value;
  const init = initials.length > 0 ? initials : initial;
  const bounds = { min, max, init, scale: scaleName(scale) };
  const per = groupingName(grouping);
  if (per === 'layer' || per === 'class') return vector({ ...bounds, per });
  return size > 0 ? vector({ ...bounds, size }) : float(bounds);
}
