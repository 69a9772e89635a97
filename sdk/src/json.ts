/** Specifications and search spaces as JSON. */

import { check, isObject, object, type Rule } from './check/rule.ts';
import { space as spaceRule, specification } from './check/specification.ts';
import { GlocalError } from './error.ts';
import { type ParameterMap, type Space, space } from './space.ts';
import { givenSpace, spaceData } from './space-json.ts';
import type { ExternalStudySpec, StudySpec } from './spec.ts';

/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** All that a caller says of a study, in the order in which it reads well. */
const KEYS: readonly (keyof StudySpec)[] = [
  'displayName',
  'labels',
  'priority',
  'mode',
  'decisionTimeout',
  'problem',
  'space',
  'training',
  'method',
  'sampling',
];

/**
 * A study's specification as plain data, which `JSON.stringify` writes and {@link specFromJson} reads. Of a study, too: what the
 * server says of it beside that is left out.
 * @throws GlocalError INVALID_ARGUMENT with everything that is wrong
 */
export function specToJson<P extends ParameterMap>(spec: StudySpec<P> | ExternalStudySpec<P>): JsonObject {
  check([specification, spec, 'spec']);
  const data = { ...spec, space: spaceData(spec.space) };
  // A study that its client trains comes with an empty problem.
  const said = KEYS.filter(
    (key) => !isUnset(key, data[key]) && !(key === 'problem' && spec.mode === 'external'),
  );
  return plain(Object.fromEntries(said.map((key) => [key, withoutUnset(key, data[key])]))) as JsonObject;
}

/** Fields that a study has empty, or as 0, where its specification does not have them. */
const UNSET: ReadonlySet<string> = new Set([
  'decisionTimeout',
  'method.trainings',
  'sampling.points',
  'problem.module',
  'problem.batchSize',
  'problem.validationExamples',
]);

const isUnset = (path: string, value: unknown): boolean => UNSET.has(path) && (value === '' || value === 0);

const withoutUnset = (path: string, value: unknown): unknown =>
  isObject(value)
    ? Object.fromEntries(Object.entries(value).filter(([key, inner]) => !isUnset(`${path}.${key}`, inner)))
    : value;

/**
 * The specification that JSON text, or what was parsed from it, stands for.
 * @throws GlocalError INVALID_ARGUMENT with everything that is wrong, reason NOT_READABLE for text that is no JSON
 */
export const specFromJson = (json: unknown): StudySpec | ExternalStudySpec =>
  specOfData(parsed(json, 'spec'));

/**
 * A search space as plain data: its parameters by name.
 * @throws GlocalError INVALID_ARGUMENT with everything that is wrong
 */
export function spaceToJson(given: Space): JsonObject {
  check([inSpace, { space: given }, 'space']);
  return plain(spaceData(given)) as JsonObject;
}

/**
 * The search space that JSON text, or what was parsed from it, stands for.
 * @throws GlocalError INVALID_ARGUMENT with everything that is wrong, reason NOT_READABLE for text that is no JSON
 */
export const spaceFromJson = (json: unknown): Space => spaceOfData(parsed(json, 'space'));

/** A specification from plain data, whatever text it was. */
export function specOfData(data: unknown): StudySpec | ExternalStudySpec {
  const given = isObject(data) ? { ...data, space: givenSpace(data.space) } : data;
  check([specification, given, 'spec']);
  const checked = given as unknown as StudySpec | ExternalStudySpec;
  const said = KEYS.filter((key) => checked[key] !== undefined);
  return {
    ...Object.fromEntries(said.map((key) => [key, checked[key]])),
    space: space(checked.space.parameters),
  } as StudySpec | ExternalStudySpec;
}

/** A space from plain data. */
export function spaceOfData(data: unknown): Space {
  const given = givenSpace(data);
  check([inSpace, { space: given }, 'space']);
  return space((given as Space).parameters);
}

/** So that fields are named as in a specification, `space.lr.init`. */
const inSpace: Rule = object<{ space: Space }>({ space: spaceRule });

/**
 * What JSON text says, or what was parsed already.
 * @throws GlocalError INVALID_ARGUMENT, reason NOT_READABLE
 */
export function parsed(json: unknown, name: string): unknown {
  if (typeof json !== 'string') return json;
  try {
    return JSON.parse(json);
  } catch (error) {
    const description = error instanceof Error ? error.message : String(error);
    throw GlocalError.invalid('NOT_READABLE', [{ field: name, description }], error);
  }
}

/** The same without properties that are undefined. */
function plain(value: unknown): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value as Json;
  const said = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(said.map(([key, inner]) => [key, plain(inner)]));
}
