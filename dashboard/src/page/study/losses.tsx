/** Losses and accuracy, at the last and at the averaged weights. */

import { useMemo } from 'preact/hooks';
import type { StepRow } from '../../api.ts';
import { ChartFigure } from '../charts/chart-figure.tsx';
import type { Line } from '../charts/series-chart.tsx';
import { loss, percent } from '../format.ts';
import { Section } from '../parts/common.tsx';
import { type CourseProps, useSeeds } from './schedules.tsx';
import { bandOf, edges, endsOf } from './series.ts';

type Key = 'loss' | 'averagedLoss' | 'trainLoss' | 'accuracy' | 'averagedAccuracy';

const CHARTS: readonly {
  readonly title: string;
  readonly format: typeof loss;
  readonly lines: readonly (readonly [Key, string, string, (readonly number[])?])[];
}[] = [
  {
    title: 'Loss in nats',
    format: loss,
    lines: [
      ['averagedLoss', 'validation, averaged weights', '--line-1'],
      ['loss', 'validation, last weights', '--line-2', [6, 3]],
      ['trainLoss', 'training', '--line-7', [2, 3]],
    ],
  },
  {
    title: 'Validation accuracy',
    format: percent,
    lines: [
      ['averagedAccuracy', 'averaged weights', '--line-1'],
      ['accuracy', 'last weights', '--line-2', [6, 3]],
    ],
  },
];

export function Losses({ model, detail, position, picked, onPick }: CourseProps) {
  const seeds = useSeeds(detail, position);
  const steps = model.steps(position).value;
  const others = seeds.map((seed) => model.steps(seed).value);
  const charts = useMemo(
    () =>
      CHARTS.map((chart) => ({ ...chart, ...linesOf(chart.lines, steps, others) })).filter(({ drawn }) =>
        drawn.some(({ values }) => values.some((value) => value !== null)),
      ),
    [steps, ...others],
  );
  return (
    <Section title="Losses">
      {charts.length === 0 && <p class="muted">None were reported with the hypergradients.</p>}
      <div class="charts">
        {charts.map(({ title, format, x, drawn, bands }) => (
          <ChartFigure
            key={title}
            caption={title}
            label={title}
            x={x}
            lines={drawn}
            bands={bands}
            format={format}
            sync={model.id}
            picked={picked}
            onPick={onPick}
            height={210}
          />
        ))}
      </div>
    </Section>
  );
}

function linesOf(
  keys: (typeof CHARTS)[number]['lines'],
  steps: readonly StepRow[],
  others: readonly (readonly StepRow[])[],
) {
  if (others.length < 2 || others.some((one) => one.length === 0)) {
    const drawn = keys.map(
      ([key, label, colour, dash]): Line => ({
        ...{ label, colour, values: steps.map((step) => step[key]) },
        ...(dash && { dash }),
      }),
    );
    return { x: endsOf(steps), drawn, bands: [] };
  }
  const bands: { upper: number; lower: number; colour: string }[] = [];
  const drawn = keys.flatMap(([key, label, colour, dash]): Line[] => {
    const { mean, low, high } = bandOf(others.map((one) => one.map((step) => step[key])));
    bands.push({ upper: 3 * bands.length, lower: 3 * bands.length + 1, colour });
    return [...edges(label, high, low, colour), { label, colour, values: mean, ...(dash && { dash }) }];
  });
  return { x: endsOf(steps).slice(0, drawn[0]?.values.length), drawn, bands };
}
