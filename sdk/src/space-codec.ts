/**
 * Search spaces and the messages of the contract that carry them. Fields that only a newer server knows are properties of a space, of its
 * parameters and of their schedules, under symbols that are copied with them.
 */

import * as proto from '@glocal/proto/glocal/v1/study';
import { type MayHaveUnknownFields, unknownFields, unknownOf } from '@glocal/proto/unknown-fields';
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
  type PointsSchedule,
  type ScheduleKnot,
  type Space,
  scheduled,
  space as spaceOf,
  type VectorParameter,
  vector,
} from './space.ts';
import { branchesOf } from './trial-space.ts';

/** Of a decoded space: parameters that only a newer SDK knows, with those that depend on them, as they came. */
const newer = Symbol.for('glocal.newerParameters');
/** Of a decoded parameter: unknown fields of its message; those of its kind are its own. */
const aside = Symbol.for('glocal.unknownFieldsOfParameter');

interface Decoded {
  readonly [newer]?: readonly proto.Parameter[];
  readonly [aside]?: MayHaveUnknownFields[typeof unknownFields];
}

/**
 * Without parameters that only a newer SDK knows, which {@link withNewerParameters} adds.
 * @param space as `check/specification.ts` accepts it
 */
export const encodeSpace = (space: Space): proto.SearchSpace => ({
  ...unknownOf(space),
  parameters: [...encodeParameters(space.parameters, undefined)],
});

/** The message of a space with all that came with it: what is newer than the rules that this version has is the server's to judge. */
export const withNewerParameters = (
  message: proto.SearchSpace,
  space: Space & Decoded,
): proto.SearchSpace => ({
  ...message,
  parameters: [...message.parameters, ...(space[newer] ?? [])],
});

/** Children come after their parent, each with the value that it exists with. */
function* encodeParameters(
  parameters: ParameterMap,
  condition: proto.Condition | undefined,
): Generator<proto.Parameter> {
  for (const [name, parameter] of Object.entries(parameters)) {
    const { [aside]: fields } = parameter as Decoded;
    yield {
      ...encodeParameter(name, parameter),
      ...(condition && { condition }),
      ...(fields && { [unknownFields]: fields }),
    };
    for (const [value, children] of branchesOf(parameter)) {
      yield* encodeParameters(children, { parameter: contractName(name), values: [value] });
    }
  }
}

function encodeParameter(name: string, parameter: Parameter): proto.Parameter {
  const unknown = unknownOf(parameter);
  switch (parameter.kind) {
    case 'float':
    case 'vector':
      return { name, kind: { $case: 'float', value: { ...encodeFloat(parameter), ...unknown } } };
    case 'fixed':
      return { name, kind: { $case: 'fixed', value: { ...encodeFixed(parameter), ...unknown } } };
    case 'scheduled':
      return {
        name,
        kind: { $case: 'scheduled', value: { schedule: encodeSchedule(parameter), ...unknown } },
      };
    case 'network': {
      const { hiddenUnits = 0, detached = false } = parameter;
      return { name, kind: { $case: 'network', value: { hiddenUnits, detached, ...unknown } } };
    }
    case 'int': {
      const { min, max, step = 0 } = parameter;
      return { name: contractName(name), kind: { $case: 'int', value: { min, max, step, ...unknown } } };
    }
    case 'bool':
      return { name: contractName(name), kind: { $case: 'bool', value: { ...unknown } } };
    case 'categorical':
      return {
        name: contractName(name),
        kind: { $case: 'categorical', value: { values: [...parameter.values], ...unknown } },
      };
    case 'discrete':
      return {
        name: contractName(name),
        kind: { $case: 'discrete', value: { values: [...parameter.values], ...unknown } },
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
    const points = schedule.points.map((point) => encodeKnot(point));
    // As with fixed(): one value, or what the caller says.
    const grouping = enumValue(proto.Grouping, schedule.per) ?? proto.Grouping.NONE;
    return { $case: 'points', value: { ...unknownOf(schedule.points), points, grouping } };
  }
  if ('cosine' in schedule) {
    const { peak, final = 0, warmupSteps = 0 } = schedule.cosine;
    return { $case: 'cosine', value: { ...unknownOf(schedule.cosine), peak, final, warmupSteps } };
  }
  if ('cooldown' in schedule) {
    const { value, cooldownSteps = 0, warmupSteps = 0 } = schedule.cooldown;
    return {
      $case: 'cooldown',
      value: { ...unknownOf(schedule.cooldown), value, cooldownSteps, warmupSteps },
    };
  }
  const { trial, parameter = '' } = schedule.replay;
  return { $case: 'replay', value: { ...unknownOf(schedule.replay), trial, parameter } };
}

function encodeKnot(point: ScheduleKnot): proto.ScheduleKnot {
  const { step, value } = point;
  return {
    ...unknownOf(point),
    step,
    ...(typeof value === 'object' ? { value: 0, values: [...value] } : { value, values: [] }),
  };
}

/** Its parameters are those that this version knows; others go along unseen, with those that depend on them. */
export function decodeSpace(message: proto.SearchSpace | undefined): Space {
  const all = message?.parameters ?? [];
  const known = new Set<proto.Parameter>();
  const space = spaceOf(decodeParameters(all, undefined, known));
  const others = all.filter((parameter) => !known.has(parameter));
  return Object.assign(space, message && unknownOf(message), others.length > 0 && { [newer]: others });
}

/** Those that exist with a value of another parameter, or without condition. @param known takes their messages */
function decodeParameters(
  all: readonly proto.Parameter[],
  parent: Parent | undefined,
  known: Set<proto.Parameter>,
): ParameterMap {
  const here = all.filter(({ condition }) =>
    parent === undefined
      ? condition === undefined
      : condition?.parameter === parent.name && condition.values.includes(parent.value),
  );
  const decoded = here.flatMap((message) =>
    decodeParameter(message).map(([name, parameter]) => {
      known.add(message);
      const { [unknownFields]: fields } = message;
      const kept = fields === undefined ? parameter : { ...parameter, [aside]: fields };
      return [name, withChildren(kept, message, all, known)];
    }),
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
  known: Set<proto.Parameter>,
): Parameter {
  const hasChildren = all.some(({ condition }) => condition?.parameter === name);
  if (parameter.kind !== 'categorical' || !hasChildren) return parameter;
  const children = parameter.values.map((value) => [value, decodeParameters(all, { name, value }, known)]);
  return { ...parameter, children: Object.fromEntries(children) };
}

function decodeParameter({ name, kind }: proto.Parameter): [name: string, parameter: Parameter][] {
  if (kind?.$case === 'float') return [[name, decodeFloat(kind.value)]];
  if (kind?.$case === 'fixed') return [[name, decodeFixed(kind.value)]];
  if (kind?.$case === 'scheduled') return Object.entries(decodeScheduled(name, kind.value));
  if (kind?.$case === 'network') return [[name, network(kind.value)]];
  if (kind?.$case === 'int') return [[sdkName(name), int(kind.value)]];
  if (kind?.$case === 'bool') return [[sdkName(name), { ...bool(), ...unknownOf(kind.value) }]];
  if (kind?.$case === 'categorical')
    return [[sdkName(name), { ...categorical(kind.value.values), ...unknownOf(kind.value) }]];
  if (kind?.$case === 'discrete')
    return [[sdkName(name), { ...discrete(kind.value.values), ...unknownOf(kind.value) }]];
  return [];
}

function decodeFixed(message: proto.FixedParameter): FixedParameter {
  const { value, values, grouping } = message;
  const per = groupingName(grouping);
  const isGrouped = per === 'layer' || per === 'class';
  return {
    ...{ kind: 'fixed', value: values.length > 0 ? values : value },
    ...(isGrouped && { per }),
    ...unknownOf(message),
  } as FixedParameter;
}

function decodePoints(message: proto.PointsSchedule): PointsSchedule {
  const per = groupingName(message.grouping);
  const points = message.points.map(({ value, values, ...others }) => ({
    ...others,
    value: values.length > 0 ? values : value,
  }));
  return {
    points: Object.assign(points, unknownOf(message)),
    ...((per === 'layer' || per === 'class') && { per }),
  };
}

/** Nothing of a schedule that only a newer SDK knows. */
function decodeScheduled(name: string, message: proto.ScheduledParameter): Record<string, Parameter> {
  const schedule = decodeSchedule(message.schedule);
  return schedule === undefined ? {} : { [name]: { ...scheduled(schedule), ...unknownOf(message) } };
}

function decodeSchedule(schedule: proto.ScheduledParameter['schedule']): ParameterSchedule | undefined {
  switch (schedule?.$case) {
    case 'points':
      return decodePoints(schedule.value);
    case 'cosine':
      return { cosine: schedule.value };
    case 'cooldown':
      return { cooldown: schedule.value };
    case 'replay':
      return { replay: schedule.value };
    default:
      return undefined;
  }
}

function decodeFloat(value: proto.FloatParameter): Parameter {
  const { min, max, initial, initials, scale, grouping, size } = value;
  const init = initials.length > 0 ? initials : initial;
  const bounds = { ...unknownOf(value), min, max, init, scale: scaleName(scale) };
  const per = groupingName(grouping);
  if (per === 'layer' || per === 'class') return vector({ ...bounds, per });
  return size > 0 ? vector({ ...bounds, size }) : float(bounds);
}
