/** One cell for each outer step, in the colour of its verdict: chosen with the mouse or the arrow keys. */

import type { StepRow } from '../../api.ts';
import { verdictOf } from '../palette.ts';

interface VerdictStripProps {
  readonly steps: readonly StepRow[];
  /** Position of the chosen step. */
  readonly picked: number;
  readonly onPick: (position: number) => void;
}

export function VerdictStrip({ steps, picked, onPick }: VerdictStripProps) {
  const step = steps[picked];
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    onPick(Math.min(steps.length - 1, Math.max(0, picked + by)));
  };
  const choose = (event: PointerEvent) => {
    if (event.type === 'pointermove' && event.buttons === 0) return;
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const position = Math.floor(((event.clientX - box.left) / box.width) * steps.length);
    onPick(Math.min(steps.length - 1, Math.max(0, position)));
  };
  const counts = new Map<string, number>();
  for (const { verdict } of steps) counts.set(verdict ?? '', (counts.get(verdict ?? '') ?? 0) + 1);
  const wide = steps.length <= 60;
  return (
    <div class="verdicts">
      <div
        class="strip"
        tabIndex={0}
        role="slider"
        aria-label="Outer step"
        aria-valuemin={1}
        aria-valuemax={Math.max(1, steps.length)}
        aria-valuenow={picked + 1}
        aria-valuetext={`outer step ${picked + 1}: ${verdictOf(step?.verdict).text}`}
        onKeyDown={move}
        onPointerDown={choose}
        onPointerMove={choose}
      >
        <svg viewBox={`0 0 ${Math.max(1, steps.length)} 1`} preserveAspectRatio="none" aria-hidden="true">
          {steps.map(({ index, verdict, verdictReason, update }, i) => (
            <rect
              key={index}
              x={i}
              y={i === picked ? 0 : 0.15}
              width={steps.length > 150 ? 1 : 0.94}
              height={i === picked ? 1 : 0.7}
              fill={`var(${verdictOf(verdict).colour})`}
            >
              <title>{`Outer step ${index}: ${verdictOf(verdict).text}. ${verdictReason ?? update?.reason ?? ''}`}</title>
            </rect>
          ))}
        </svg>
      </div>
      {wide && (
        <div class="signs" aria-hidden="true">
          {steps.map(({ index, verdict }) => (
            <span key={index}>{verdictOf(verdict).sign}</span>
          ))}
        </div>
      )}
      <ul class="readout">
        {[...counts].map(([verdict, n]) => (
          <li key={verdict}>
            <svg width="12" height="12" aria-hidden="true">
              <rect width="12" height="12" rx="2" fill={`var(${verdictOf(verdict).colour})`} />
            </svg>
            {verdictOf(verdict).sign} {verdictOf(verdict).text} <b>{n}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}
