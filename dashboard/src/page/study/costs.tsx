/** Where the time went: training without tangents, tangents, validation gradients, DMD, and the rest. */

import type { Timing } from '@glocal/sdk';
import { useMemo } from 'preact/hooks';
import type { StepRow, TrialRow } from '../../api.ts';
import { type Line, SeriesChart } from '../charts/series-chart.tsx';
import { duration, percent } from '../format.ts';
import { Section } from '../parts/common.tsx';
import { endsOf } from './series.ts';

interface CostsProps {
  readonly steps: readonly StepRow[];
  readonly trial: TrialRow;
  readonly picked: number;
  readonly onPick: (index: number) => void;
}

type Part = (timing: Timing, plainStep: number, innerSteps: number) => number;

const PLAIN = 'plain training';

/**
 * Milliseconds of a plain step, known from those that were timed, tell how much of training would have been without tangents.
 */
const PARTS: readonly (readonly [string, string, Part])[] = [
  [PLAIN, '--line-3', ({ training }, plain, n) => Math.min(training, plain * n)],
  ['tangents', '--line-1', ({ training }, plain, n) => Math.max(0, training - plain * n)],
  ['validation gradients', '--line-2', ({ hypergradients }) => hypergradients],
  ['DMD', '--line-4', ({ dmd }) => dmd],
  ['validation and the rest', '--line-7', ({ other }) => other],
  ['checkpoint', '--line-5', ({ checkpoint }) => checkpoint],
  ['waiting for a decision', '--line-6', ({ decision }) => decision],
];

export function Costs({ steps, trial, picked, onPick }: CostsProps) {
  const plain = trial.timing.plainSteps > 0 ? trial.timing.plain / trial.timing.plainSteps : plainOf(steps);
  const { lines, totals, x } = useMemo(() => split(steps, plain), [steps, plain]);
  const sum = totals.reduce((all, [, , value]) => all + value, 0);
  return (
    <Section
      title="Time"
      about={
        plain === undefined ? 'No plain step was timed, with which tangents could be told apart.' : undefined
      }
    >
      <ul class="split">
        {totals
          .filter(([, , value]) => value >= 1)
          .map(([label, colour, value]) => (
            <li key={label} style={{ '--share': value / (sum || 1), '--is': `var(${colour})` }}>
              <span class="bar" /> {label} <b>{duration(value)}</b>{' '}
              <span class="muted">{percent(value / (sum || 1))}</span>
            </li>
          ))}
      </ul>
      <SeriesChart
        label="Seconds of each outer step"
        x={x}
        lines={lines}
        format={(value) => duration(value ?? undefined)}
        picked={picked}
        onPick={onPick}
        height={170}
        stacked
      />
    </Section>
  );
}

function plainOf(steps: readonly StepRow[]): number | undefined {
  const [time, n] = steps.reduce(
    ([time, n], { timing }) => [time + timing.plain, n + timing.plainSteps],
    [0, 0],
  );
  return n > 0 ? time / n : undefined;
}

/** As areas, one above the other; the topmost is drawn first. */
function split(steps: readonly StepRow[], plain: number | undefined) {
  const used = PARTS.map(([label, colour, part]) => ({
    // Without a plain step that was timed it is not known how much of it the tangents took.
    label: label === PLAIN && plain === undefined ? 'training with its tangents' : label,
    colour,
    values: steps.map(({ timing, step }, i) =>
      part(timing, plain ?? Number.POSITIVE_INFINITY, step - (steps[i - 1]?.step ?? 0)),
    ),
  })).filter(({ values }) => values.some((value) => value >= 1));
  const totals = used.map(
    ({ label, colour, values }) => [label, colour, values.reduce((a, b) => a + b, 0)] as const,
  );
  const below = steps.map(() => 0);
  const stacked = used.map(({ label, colour, values }): Line => {
    values.forEach((value, i) => {
      below[i] = (below[i] ?? 0) + value;
    });
    return { label, colour, values: [...below], fill: true, width: 1 };
  });
  return { x: endsOf(steps), lines: stacked.toReversed(), totals };
}
