/** Names of fields, in errors of the server and in calls of the SDK. */

/** Fields of a parameter that the SDK calls otherwise. Names of parameters stay as they are. */
const SPACE_FIELDS: ReadonlyMap<string, string> = new Map([
  ['initial', 'init'],
  ['grouping', 'per'],
  ['hidden_units', 'hiddenUnits'],
]);

/**
 * A field violation's path, as the caller wrote the field: `study.method.dmd.svd_rank` is `method.dmd.svdRank`,
 * `study.space.lr.initial` is `space.lr.init`.
 */
export function fieldPath(field: string): string {
  const [first, ...rest] = field.replace(/^study\./, '').split('.');
  if (first === 'space' && rest.length > 0) {
    const last = rest.pop() ?? '';
    return [first, ...rest, SPACE_FIELDS.get(last) ?? last].join('.');
  }
  return [first, ...rest].join('.').replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
