/** A curve in one line of text. */

const LEVELS = '▁▂▃▄▅▆▇█';

/**
 * The last values, a character each, between the lowest and the highest of them.
 * @param values what is not finite, or with `log` not above 0, is a blank.
 */
export function sparkline(
  values: readonly number[],
  { width = 12, log = false }: { readonly width?: number; readonly log?: boolean } = {},
): string {
  const heights = values.slice(-width).map((value) => (log ? Math.log(value) : value));
  const drawn = heights.filter(Number.isFinite);
  const lowest = Math.min(...drawn);
  const span = Math.max(...drawn) - lowest;
  const character = (height: number): string => {
    if (!Number.isFinite(height)) return ' ';
    const share = span === 0 ? 0.5 : (height - lowest) / span;
    return LEVELS[Math.min(LEVELS.length - 1, Math.floor(share * LEVELS.length))] ?? ' ';
  };
  return heights.map(character).join('');
}
