/** Names of fields, in errors of the server and in calls of the SDK. */

import { sdkName } from './problem-names.ts';

/** Fields of a parameter that the SDK calls otherwise. */
const SPACE_FIELDS: ReadonlyMap<string, string> = new Map([
  ['initial', 'init'],
  ['initials', 'init'],
  ['grouping', 'per'],
  ['hidden_units', 'hiddenUnits'],
]);

/** A field of a schedule, with the parameter that it is of. */
const SCHEDULE =
  /^(space\..+?)((?:\.points\.(?:grouping|points(?:\[\d+\]\.(?:step|values?(?:\[\d+\])?))?)|\.(?:cosine|cooldown)\.[a-z_]+|\.replay(?:\.[a-z_]+)?))$/;

/**
 * A field violation's path, as the caller wrote the field: `study.method.dmd.svd_rank` is `method.dmd.svdRank`,
 * `study.space.lr.initial` is `space.lr.init`. Keys of labels, and names of parameters that are no field of a problem, stay
 * as they are.
 */
export function fieldPath(field: string): string {
  const path = field.replace(/^study\./, '');
  if (path.startsWith('labels.')) return path;
  const [, of, schedule] = path.match(SCHEDULE) ?? [];
  if (of !== undefined && schedule !== undefined) {
    // The list of points has no name of its own here, nor have values of a vector.
    const own = schedule.replace('.points.points', '.points').replace('.values', '.value');
    return `${of}${camelCase(own.replace('.points.grouping', '.per'))}`;
  }
  const [, name, last = ''] = path.match(/^space\.(.+?)(\.[a-z_]+(?:\[\d+\])*)?$/) ?? [];
  if (name === undefined) return camelCase(path);
  // The name of a parameter may have dots itself.
  const whole = sdkName(`${name}${last}`);
  if (whole !== `${name}${last}`) return `space.${whole}`;
  return `space.${sdkName(name)}${last.replace(/[a-z_]+/, (word) => SPACE_FIELDS.get(word) ?? word)}`;
}

const camelCase = (path: string): string =>
  path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
