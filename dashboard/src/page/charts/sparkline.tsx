/** The course of a figure, as small as a word. */

import type { Figure } from '../../api.ts';

export function Sparkline({ values, label }: { readonly values: readonly Figure[]; readonly label: string }) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <span class="muted">–</span>;
  const [min, max] = [Math.min(...known), Math.max(...known)];
  const x = (i: number): number => 2 + (i / (values.length - 1)) * 92;
  const y = (value: number): number => 22 - ((value - min) / (max - min || 1)) * 20;
  const points = values.flatMap((value, i) =>
    value === null ? [] : [`${x(i).toFixed(1)},${y(value).toFixed(1)}`],
  );
  const [lastX, lastY] = points.at(-1)?.split(',') ?? [];
  return (
    <svg class="sparkline" viewBox="0 0 96 24" role="img" aria-label={label}>
      <polyline points={points.join(' ')} fill="none" stroke="var(--line-1)" stroke-width="1.5" />
      <circle cx={lastX} cy={lastY} r="2" fill="var(--line-1)" />
    </svg>
  );
}
