/** Hyperparameters with many values: as a heat map over the outer steps, and the reweighting network as the curve that it is. */

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Components, Fault, StepRow, StudyDetail } from '../../api.ts';
import { ChartFigure } from '../charts/chart-figure.tsx';
import { HeatMap } from '../charts/heat-map.tsx';
import { percent, words } from '../format.ts';
import { FaultNote, Section, Waiting } from '../parts/common.tsx';
import { ask, faultOf } from '../state/http.ts';
import { exampleWeight } from './network-weight.ts';

interface VectorsProps {
  readonly id: string;
  readonly position: number;
  readonly detail: StudyDetail;
  readonly steps: readonly StepRow[];
  readonly picked: number;
}

export function Vectors({ id, position, detail, steps, picked }: VectorsProps) {
  const names = Object.entries(steps.at(-1)?.values ?? {}).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null ? [name] : [],
  );
  return (
    <Section
      title="Vectors"
      about="A row for each entry, a column for each outer step; from dark (small) to light (large)."
    >
      <div class="charts">
        {names.map((name) => (
          <Vector
            key={name}
            id={id}
            position={position}
            name={name}
            detail={detail}
            steps={steps}
            picked={picked}
          />
        ))}
      </div>
    </Section>
  );
}

function Vector({ id, position, name, detail, steps, picked }: VectorsProps & { readonly name: string }) {
  const [data, setData] = useState<Components | undefined>(undefined);
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  const length = steps.length;
  useEffect(() => {
    // While it trains fast, not each of them is asked for by itself.
    const timer = setTimeout(
      () =>
        void ask<Components>(
          `/api/studies/${id}/components?trial=${position}&parameter=${encodeURIComponent(name)}`,
        ).then(setData, (error: unknown) => setFault(faultOf(error))),
      data === undefined ? 0 : 500,
    );
    return () => clearTimeout(timer);
  }, [id, position, name, length]);
  const parameter = detail.parameters.find((one) => one.name === name);
  if (data === undefined && fault !== undefined) return <FaultNote fault={fault} />;
  if (data === undefined) return <Waiting what={words(name)} />;
  return (
    <>
      {parameter?.kind === 'network' && <NetworkCurve data={data} picked={picked} />}
      <figure>
        <figcaption>{words(name)}</figcaption>
        <HeatMap label={words(name)} data={data} log={parameter?.scale === 'log'} />
      </figure>
    </>
  );
}

/** Losses at which the curve is drawn, in nats. */
const LOSSES = Array.from({ length: 61 }, (_, i) => i / 10);

function NetworkCurve({ data, picked }: { readonly data: Components; readonly picked: number }) {
  const chart = useMemo(() => {
    const first = data.values[0] ?? [];
    const now = data.values[Math.min(picked, data.values.length - 1)] ?? [];
    return {
      x: LOSSES,
      lines: [
        {
          label: 'this outer step',
          colour: '--line-1',
          values: LOSSES.map((loss) => exampleWeight(now, loss)),
        },
        {
          label: 'the first',
          colour: '--line-2',
          dash: [6, 3],
          values: LOSSES.map((loss) => exampleWeight(first, loss)),
        },
      ],
    };
  }, [data, picked]);
  return (
    <ChartFigure
      caption="Weight of an example by its loss"
      label="Weight of an example by its loss"
      {...chart}
      format={percent}
      xLabel="loss of the example, nats"
      xWord="loss"
      height={200}
    />
  );
}
