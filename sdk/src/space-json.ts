/**
 * Search spaces as plain data: what JSON and YAML can hold. A parameter is written as its function makes it, `kind` with its
 * options; where that can only mean one thing it may be written shorter.
 */

import { isObject } from './check/rule.ts';
import type { Json, JsonObject } from './json.ts';
import type { CategoricalParameter, Parameter, ParameterMap } from './space.ts';

/** A space as the rules of `check/` accept it: each parameter by its name, in the shortest way that there is. */
export const spaceData = ({ parameters }: { readonly parameters: ParameterMap }): JsonObject =>
  Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, parameterData(parameter)]));

function parameterData(parameter: Parameter): Json {
  switch (parameter.kind) {
    case 'fixed':
      if (typeof parameter.value === 'number') return parameter.value;
      break;
    case 'categorical':
      // A list with nothing in it says nothing of what it has.
      if (parameter.values.length === 0) break;
      return parameter.children === undefined ? [...parameter.values] : branchesData(parameter);
    case 'discrete':
      return [...parameter.values];
  }
  // A parameter is numbers, names, and lists and objects of them.
  return parameter as unknown as JsonObject;
}

/** Names with their parameters; apart where some name has none of its own. */
function branchesData({ kind, values, children = {} }: CategoricalParameter): Json {
  const data = Object.fromEntries(
    Object.entries(children).map(([value, parameters]) => [value, spaceData({ parameters })]),
  );
  const named = Object.keys(children);
  const hasAll = values.length === named.length && values.every((value, i) => value === named[i]);
  return hasAll ? { kind, values: data } : { kind, values: [...values], children: data };
}

/** What a space written as data stands for, for the rules of `check/` to judge: nothing is known of it yet. */
export const givenSpace = (data: unknown): unknown =>
  isObject(data) ? { parameters: givenParameters(data) } : data;

function givenParameters(data: unknown): unknown {
  if (!isObject(data)) return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, givenParameter(value)]));
}

/** Keys that say of which kind something is. `initial` and `initials` are the contract's words, which the rules correct. */
const KIND_OF_KEY: readonly (readonly [key: string, kind: Parameter['kind']])[] = [
  // Before `per`, which they may have, too.
  ['points', 'scheduled'],
  ['per', 'vector'],
  ['size', 'vector'],
  ['init', 'float'],
  ['initial', 'float'],
  ['initials', 'float'],
  ['cosine', 'scheduled'],
  ['cooldown', 'scheduled'],
  ['replay', 'scheduled'],
];

function givenParameter(data: unknown): unknown {
  if (Number.isFinite(data)) return { kind: 'fixed', value: data };
  if (Array.isArray(data)) {
    const isNames = data.length > 0 && data.every((value) => typeof value === 'string');
    return { kind: isNames ? 'categorical' : 'discrete', values: data };
  }
  if (!isObject(data)) return data;
  if (isObject(data.values) && (data.kind === undefined || data.kind === 'categorical')) {
    const { kind = 'categorical', values, ...others } = data;
    return { kind, values: Object.keys(values), children: givenBranches(values), ...others };
  }
  if (isObject(data.children)) return { ...data, children: givenBranches(data.children) };
  if (data.kind !== undefined) return data;
  const [, kind] = KIND_OF_KEY.find(([key]) => Object.hasOwn(data, key)) ?? [];
  return kind === undefined ? data : { kind, ...data };
}

/** A name with nothing behind it has no parameters of its own. */
const givenBranches = (data: Readonly<Record<string, unknown>>): unknown =>
  Object.fromEntries(
    Object.entries(data).map(([value, parameters]) => [value, givenParameters(parameters ?? {})]),
  );
