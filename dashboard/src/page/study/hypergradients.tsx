/** The local hypergradient against the glocal one, component by component, with the spread where the variant knows it. */

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ComponentSeries, Figure, StepRow } from '../../api.ts';
import { ChartFigure } from '../charts/chart-figure.tsx';
import { type Line, SeriesChart } from '../charts/series-chart.tsx';
import { count, percent, words } from '../format.ts';
import { Section } from '../parts/common.tsx';
import { ask } from '../state/http.ts';
import type { StepsProps } from './outer-step.tsx';
import { edges, endsOf } from './series.ts';

export function Hypergradients({ id, position, steps, picked, onPick }: StepsProps) {
  const names = [...new Set(steps.flatMap(({ hypergradients }) => hypergradients?.names ?? []))];
  const size = Math.max(0, ...steps.map(({ window }) => window?.size ?? 0));
  const charts = useMemo(
    () => names.map((name) => ({ name, ...linesOf(ofRows(steps, name)) })),
    [steps, names.join()],
  );
  const norms = useMemo(
    (): readonly Line[] => [
      {
        label: 'norm of the local one',
        colour: '--line-2',
        values: steps.map(({ hypergradients }) => hypergradients?.localNorm ?? null),
      },
      {
        label: 'norm of the glocal one',
        colour: '--line-1',
        values: steps.map(({ hypergradients }) => hypergradients?.glocalNorm ?? null),
      },
    ],
    [steps],
  );
  const trusted = useMemo(
    (): readonly Line[] => [
      {
        label: 'components that are trusted',
        colour: '--good',
        values: steps.map(({ hypergradients }) => hypergradients?.trustedShare ?? null),
      },
    ],
    [steps],
  );
  const x = useMemo(() => endsOf(steps), [steps]);
  const shared = { x, sync: id, picked, onPick };
  return (
    <Section
      title="Local against glocal"
      about="Hypergradients with respect to the unconstrained coordinates: the last row of each window, and where the window was heading. Bands are two standard errors."
    >
      <div class="charts">
        {charts.map(({ name, lines, bands }) => (
          <ChartFigure
            key={name}
            caption={words(name)}
            label={`Hypergradient of ${words(name)}`}
            lines={lines}
            bands={bands}
            {...shared}
          />
        ))}
        {names.length === 0 && (
          <>
            <ChartFigure
              caption={`All ${count(size)} components`}
              label="Norms of hypergradients"
              lines={norms}
              log
              {...shared}
            />
            <ChartFigure
              caption="Trusted"
              label="Share of components that are trusted"
              lines={trusted}
              format={percent}
              range={[0, 1.05]}
              {...shared}
            />
          </>
        )}
      </div>
      {names.length === 0 && (
        <OneComponent id={id} position={position} steps={steps} picked={picked} onPick={onPick} />
      )}
    </Section>
  );
}

type Parts = Pick<ComponentSeries, 'local' | 'glocal' | 'spread' | 'used'>;

function ofRows(steps: readonly StepRow[], name: string): Parts {
  const at = (key: 'local' | 'glocal' | 'spread' | 'used'): Figure[] =>
    steps.map(
      ({ hypergradients }) => hypergradients?.[key]?.[hypergradients.names?.indexOf(name) ?? -1] ?? null,
    );
  return { local: at('local'), glocal: at('glocal'), spread: at('spread'), used: at('used') };
}

function linesOf({ local, glocal, spread, used }: Parts) {
  const hasSpread = spread.some((value) => value !== null);
  const by = (sign: number): Figure[] =>
    glocal.map((value, i) => (value === null ? null : value + sign * 2 * (spread[i] ?? 0)));
  const lines: Line[] = [
    ...(hasSpread ? edges('spread', by(1), by(-1), '--line-1') : []),
    { label: 'local', values: local, colour: '--line-2', dash: [6, 3], width: 1.5 },
    { label: 'glocal', values: glocal, colour: '--line-1' },
    { label: 'used', values: used, colour: '--good', dash: [2, 3] },
  ];
  return { lines, bands: hasSpread ? [{ upper: 0, lower: 1, colour: '--line-1' }] : [] };
}

/** One of many, chosen by its name. */
function OneComponent({ id, position, steps, picked, onPick }: StepsProps) {
  const [names, setNames] = useState<readonly string[]>([]);
  const [name, setName] = useState('');
  const [series, setSeries] = useState<ComponentSeries | undefined>(undefined);
  const length = steps.length;
  useEffect(() => {
    void ask<{ names: readonly string[] }>(`/api/studies/${id}/components?trial=${position}`).then(
      (found) => {
        setNames(found.names);
        setName((before) => before || (found.names[0] ?? ''));
      },
      () => undefined,
    );
  }, [id, position, length > 0]);
  useEffect(() => {
    if (name === '') return;
    void ask<ComponentSeries>(
      `/api/studies/${id}/components?trial=${position}&component=${encodeURIComponent(name)}`,
    ).then(setSeries, () => undefined);
  }, [id, position, name, length]);
  const chart = useMemo(() => (series ? linesOf(series) : undefined), [series]);
  const x = useMemo(() => endsOf(steps).slice(0, series?.local.length), [steps, series]);
  return (
    <figure class="wide">
      <figcaption>
        <label>
          One component{' '}
          <select value={name} onChange={(event) => setName(event.currentTarget.value)}>
            {names.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      </figcaption>
      {chart && (
        <SeriesChart
          label={`Hypergradient of ${name}`}
          x={x}
          lines={chart.lines}
          bands={chart.bands}
          sync={id}
          picked={picked}
          onPick={onPick}
        />
      )}
    </figure>
  );
}
