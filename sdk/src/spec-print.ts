/** Specifications of studies as people read them. */

import { type Json, specToJson } from './json.ts';
import { type ParameterMap, space } from './space.ts';
import type { ExternalStudySpec, StudySpec } from './spec.ts';

/**
 * What a study is to do, in a few lines: its name, a line for each part of the specification, and its space.
 * @throws GlocalError INVALID_ARGUMENT with everything that is wrong
 */
export function describeSpec<P extends ParameterMap>(spec: StudySpec<P> | ExternalStudySpec<P>): string {
  const { displayName, space: _, ...parts } = specToJson(spec);
  const width = Math.max(...Object.keys(parts).map((name) => name.length));
  const lines = Object.entries(parts).map(
    ([name, part]) =>
      `${name.padEnd(width)}  ${(name === 'labels' ? labelsOf(part) : saidOf(part)).join(', ')}`,
  );
  const table = space(spec.space.parameters).toString().replace(/^/gm, '  ');
  return [...(displayName ? [displayName] : []), ...lines, 'space', table].join('\n');
}

/** As the command line takes them. */
const labelsOf = (labels: Json): string[] =>
  Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);

/** Each thing that is said, with the keys that lead to it. */
function saidOf(value: Json, path = ''): string[] {
  if (Array.isArray(value)) return [`${path} ${value.join(' ')}`.trim()];
  if (typeof value !== 'object' || value === null) return [`${path} ${value}`.trim()];
  return Object.entries(value).flatMap(([key, inner]) => saidOf(inner, path === '' ? key : `${path}.${key}`));
}
