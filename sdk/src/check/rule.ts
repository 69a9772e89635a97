/**
 * Rules for what a caller gives. Plain JavaScript has no compiler that would find a misspelt key or a missing number, and
 * the wire has no place for them: it would say 0.
 */

import { type FieldViolation, GlocalError } from '../error.ts';

/** Adds what is wrong with a value, if anything, under the path of its field. */
export type Rule = (value: unknown, field: string, violations: FieldViolation[]) => void;

/** A rule for each property of `T`; the compiler refuses a table that lacks one. */
export type Rules<T> = { readonly [Key in keyof T]-?: Rule };

/** Something that a caller gave, with the rule for it and the name that it has when it is wrong as a whole. */
export type Given = readonly [rule: Rule, value: unknown, name: string];

/** @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, with everything that is wrong. */
export function check(...given: readonly Given[]): void {
  const violations = given.flatMap(([rule, value, name]) => {
    const found: FieldViolation[] = [];
    try {
      rule(value, '', found);
    } catch {
      found.push({ field: name, description: 'cannot be read; a property of it throws' });
    }
    return found.map(({ field, description }) => ({ field: named(name, field), description }));
  });
  if (violations.length > 0) throw GlocalError.invalid('NOT_ENCODABLE', violations);
}

/** Properties stand for themselves; items of a list need its name. */
const named = (name: string, field: string): string =>
  field === '' || field.startsWith('[') ? `${name}${field}` : field;

/** @param expected follows "is not" and "give" in what is said of other values. */
export function rule(accepts: (value: unknown) => boolean, expected: string): Rule {
  return (value, field, violations) => {
    if (accepts(value)) return;
    const description =
      value === undefined ? `is missing; give ${expected}` : `${show(value)} is not ${expected}`;
    violations.push({ field, description });
  };
}

export const text = rule((value) => typeof value === 'string' && value.isWellFormed(), 'a string');
export const flag = rule((value) => typeof value === 'boolean', 'true or false');
export const callback = rule((value) => typeof value === 'function', 'a function');
export const finite = rule((value) => Number.isFinite(value), 'a finite number');

/** A whole number within bounds, both included. */
export const whole = (least: number, most: number): Rule =>
  rule(
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
    `a whole number from ${least} to ${most}`,
  );

/** Whole numbers that the wire can carry. Which of them make sense, the server knows. */
export const INT32_MAX = 2 ** 31 - 1;
export const int32 = rule(
  (value) => Number.isInteger(value) && Math.abs(value as number) <= INT32_MAX,
  `a whole number within ±${INT32_MAX}`,
);
export const uint32 = whole(0, 2 ** 32 - 1);

/** A number for which the wire takes 0 as "not set": a 0 that is meant would be another number. */
export const notZero =
  (number: Rule): Rule =>
  (value, field, violations) => {
    if (value !== 0) return number(value, field, violations);
    violations.push({ field, description: '0 is not possible; leave it out for the default' });
  };

export const oneOf =
  (names: readonly string[]): Rule =>
  (value, field, violations) => {
    if (names.includes(value as string)) return;
    const problem = value === undefined ? 'is missing' : `${show(value)} is unknown`;
    violations.push({ field, description: `${problem}; one of ${names.join(', ')}` });
  };

/** What need not be there. */
export const optional =
  (rule: Rule): Rule =>
  (value, field, violations) => {
    if (value !== undefined) rule(value, field, violations);
  };

/** Violations after which the rest of a list is not looked at. */
const MOST_VIOLATIONS = 100;

export const list =
  (item: Rule): Rule =>
  (value, field, violations) => {
    array(value, field, violations);
    if (!Array.isArray(value)) return;
    for (let i = 0; i < value.length && violations.length < MOST_VIOLATIONS; i++) {
      item(value[i], `${field}[${i}]`, violations);
    }
  };

/** An object with any keys. */
export const record = (item: Rule): Rule => entries(() => item);

/** The same, with a rule for each key. */
export const entries =
  (itemOf: (key: string) => Rule): Rule =>
  (value, field, violations) => {
    anObject(value, field, violations);
    if (!isObject(value)) return;
    for (const key of Object.keys(value)) itemOf(key)(value[key], under(field, key), violations);
  };

/**
 * An object with these keys and no others.
 * @param ignored keys that may be there too and say nothing
 * @param synonyms other words that people know for a key, which they get to read
 */
export function object<T>(
  rules: Rules<T>,
  ignored: readonly string[] = [],
  synonyms: Readonly<Record<string, keyof T & string>> = {},
): Rule {
  const known = Object.keys(rules);
  return (value, field, violations) => {
    anObject(value, field, violations);
    if (!isObject(value)) return;
    for (const key of Object.keys(value)) {
      if (known.includes(key) || ignored.includes(key) || value[key] === undefined) continue;
      const meant = (Object.hasOwn(synonyms, key) ? synonyms[key] : undefined) ?? nearest(key, known);
      const help = meant === undefined ? `the keys are ${known.join(', ')}` : `did you mean ${meant}?`;
      violations.push({ field: under(field, key), description: `is unknown; ${help}` });
    }
    for (const [key, rule] of Object.entries<Rule>(rules)) rule(value[key], under(field, key), violations);
  };
}

/** An object that holds its properties itself, unlike a Map, a Date or an array. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && className(value) === 'Object';

/** `Object`, also of the classes of a program; `Map`, `Date` and the like of those that the language brings along. */
const className = (value: object): string =>
  Object.prototype.toString.call(value).slice('[object '.length, -1);

const array = rule(Array.isArray, 'an array');
const anObject = rule(isObject, 'an object');

const under = (field: string, key: string): string => (field === '' ? key : `${field}.${key}`);

/** A value in a few words, without a call into code of the caller's. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : kindOf(value);
    default:
      return `a ${typeof value}`;
  }
}

/** A tag is whatever a program says it is: only a name is shown. */
function kindOf(value: object): string {
  const name = className(value);
  if (name === 'Array' || name === 'Object') return `an ${name.toLowerCase()}`;
  return /^\w{1,40}$/.test(name) ? `a ${name}` : 'an object';
}

/** The known key that an unknown one probably stands for: spelt alike, a longer form of it, or two letters off. */
function nearest(key: string, known: readonly string[]): string | undefined {
  const plain = (name: string) => name.replaceAll('_', '').toLowerCase();
  const given = plain(key);
  return (
    known.find((name) => plain(name) === given) ??
    known.find((name) => name.length > 2 && given.startsWith(plain(name))) ??
    known.find((name) => name.length > 3 && editDistance(plain(name), given) <= 2)
  );
}

/** Letters to insert, delete or replace (Levenshtein). */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
  }
  return row[b.length] ?? 0;
}
