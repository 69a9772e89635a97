/** Eigenvalues of a window around the unit circle: what is steady lies at 1, what decays inside, what grows outside. */

import type { ModeRow, SpectrumRow } from '../../api.ts';
import { percent, short } from '../format.ts';

const SIZE = 260;
const SPAN = 1.35;
const at = (value: number): number =>
  SIZE / 2 + (Math.max(-SPAN, Math.min(SPAN, value)) / SPAN) * (SIZE / 2 - 8);
const RADIUS = at(1) - SIZE / 2;

export function UnitCircle({
  spectrum,
  label,
}: {
  readonly spectrum: SpectrumRow | undefined;
  readonly label: string;
}) {
  const modes = spectrum?.modes ?? [];
  const summary =
    spectrum === undefined
      ? 'no spectrum'
      : `${modes.length} modes, ${modes.filter(({ steady }) => steady).length} of them steady, spectral radius ${short(spectrum.radius)}`;
  return (
    <svg class="unit-circle" viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={`${label}: ${summary}`}>
      <line x1="0" x2={SIZE} y1={SIZE / 2} y2={SIZE / 2} stroke="var(--grid)" />
      <line x1={SIZE / 2} x2={SIZE / 2} y1="0" y2={SIZE} stroke="var(--grid)" />
      <circle cx={SIZE / 2} cy={SIZE / 2} r={RADIUS} fill="none" stroke="var(--muted)" />
      <circle
        cx={at(1)}
        cy={SIZE / 2}
        r={RADIUS * 0.1}
        fill="none"
        stroke="var(--good)"
        stroke-dasharray="3 3"
      />
      <text x={at(1) + 8} y={SIZE / 2 + 28} class="tick">
        1
      </text>
      <text x={SIZE / 2 + 4} y={12} class="tick">
        i
      </text>
      {modes.map((mode, i) => (
        <Eigenvalue key={i} mode={mode} />
      ))}
    </svg>
  );
}

function Eigenvalue({ mode: { re, im, share, steady } }: { readonly mode: ModeRow }) {
  if (re === null || im === null) return null;
  const outside = Math.abs(re) > SPAN || Math.abs(im) > SPAN;
  const colour = steady ? 'var(--good)' : Math.hypot(re, im) > 1.02 ? 'var(--bad)' : 'var(--line-1)';
  const radius = 3.5 + 9 * Math.sqrt(Math.max(0, share ?? 0));
  return (
    <circle
      class="mode"
      cx={at(re)}
      cy={at(-im)}
      r={radius}
      fill={colour}
      fill-opacity={steady ? 0.85 : 0.35}
      stroke={colour}
      stroke-width="1.5"
      stroke-dasharray={outside ? '2 2' : undefined}
    >
      <title>
        {`${short(re)} ${im < 0 ? '−' : '+'} ${short(Math.abs(im))}i, ${percent(share)} of the energy${steady ? ', steady' : ''}`}
      </title>
    </circle>
  );
}
