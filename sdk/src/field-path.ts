/** Names of fields, in errors of the server and in calls of the SDK. */

/**
 * A field violation's path, as the caller wrote the field: `study.method.dmd.svd_rank` is `method.dmd.svdRank`,
 * `study.space.lr.initial` is `space.lr.init`.
 */
export function fieldPath(field: string): string {
  const [first, ...rest] = field.replace(/^study\./, '').split('.');
  if (first === 'space') return [first, ...rest].join('.').replace(/\.initial$/, '.init');
  return [first, ...rest].join('.').replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
