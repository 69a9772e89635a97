/** One outer step: its spectrum on the unit circle, its modes, the rows of its window, and why it went the way it did. */

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Fault, StepDetail, StepRow } from '../../api.ts';
import { ChartFigure } from '../charts/chart-figure.tsx';
import { SeriesChart } from '../charts/series-chart.tsx';
import { UnitCircle } from '../charts/unit-circle.tsx';
import { count, percent, short, words } from '../format.ts';
import { lineColour } from '../palette.ts';
import { FaultNote, Section } from '../parts/common.tsx';
import { VerdictLine } from '../parts/verdict-line.tsx';
import { ask, faultOf } from '../state/http.ts';
import { endsOf, numberOf } from './series.ts';

export interface StepsProps {
  readonly id: string;
  /** Of the trial. */
  readonly position: number;
  readonly steps: readonly StepRow[];
  readonly picked: number;
  readonly onPick: (index: number) => void;
}

/** Milliseconds between two outer steps while it plays. */
const PACE = 350;

export function OuterStepView({ id, position, steps, picked, onPick }: StepsProps) {
  const [plays, setPlays] = useState(false);
  const step = steps[picked];
  useEffect(() => {
    if (!plays) return;
    const timer = setTimeout(() => {
      if (picked >= steps.length - 1) setPlays(false);
      else onPick(picked + 1);
    }, PACE);
    return () => clearTimeout(timer);
  });
  const play = () => {
    if (!plays && picked >= steps.length - 1) onPick(0);
    setPlays(!plays);
  };
  const steady = useMemo(
    () => ({
      x: endsOf(steps),
      lines: [
        {
          label: 'energy in steady modes',
          colour: '--good',
          values: steps.map(({ spectrum }) =>
            spectrum
              ? spectrum.modes.reduce((sum, mode) => sum + (mode.steady ? (mode.share ?? 0) : 0), 0)
              : null,
          ),
        },
        {
          label: 'spectral radius',
          colour: '--line-2',
          dash: [6, 3],
          values: steps.map(({ spectrum }) => spectrum?.radius ?? null),
        },
      ],
    }),
    [steps],
  );
  if (step === undefined) return null;
  const { update, spectrum, verdict } = step;
  return (
    <Section title={`Outer step ${step.index}`} about={`Ends at inner step ${count(step.step)}.`}>
      <div class="player">
        <button type="button" onClick={play} aria-pressed={plays}>
          {plays ? '‖ Stop' : '▶ Play'}
        </button>
        <input
          type="range"
          min={1}
          max={steps.length}
          value={picked + 1}
          aria-label="Outer step"
          onInput={(event) => onPick(Number(event.currentTarget.value) - 1)}
        />
        <a class="button" href={`/what-if?study=${id}&trial=${position}&step=${step.index}`}>
          What if …
        </a>
      </div>
      <VerdictLine verdict={verdict} reason={step.verdictReason} />
      {update && (
        <p>
          {update.rolledBack && <b>Rolled back. </b>}
          {update.fellBack && <b>No report of the DMD service. </b>}
          {update.decision && <b>Decided by hand: {update.decision}. </b>}
          {update.reason !== step.verdictReason && update.reason}{' '}
          <span class="muted">Outer rate {short(update.rate)}.</span>
          {update.clipped.length > 0 && <> Clipped: {update.clipped.join(', ')}.</>}
        </p>
      )}
      <ul class="moves">
        {Object.entries(step.next)
          .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(step.values[name]))
          .map(([name, value]) => (
            <li key={name}>
              {words(name)} <b>{short(numberOf(step.values[name]))}</b> → <b>{short(numberOf(value))}</b>
            </li>
          ))}
      </ul>
      {spectrum ? (
        <div class="spectrum">
          <figure>
            <figcaption>Eigenvalues per row</figcaption>
            <UnitCircle spectrum={spectrum} label={`Outer step ${step.index}`} />
          </figure>
          <div>
            <h3>Modes</h3>
            <ol class="modes">
              {spectrum.modes.slice(0, 8).map((mode, i) => (
                <li key={i}>
                  <span
                    class="bar"
                    style={{
                      '--share': mode.share ?? 0,
                      '--is': `var(${mode.steady ? '--good' : '--line-1'})`,
                    }}
                  />
                  {percent(mode.share)} at {short(mode.re)} {(mode.im ?? 0) < 0 ? '−' : '+'}{' '}
                  {short(Math.abs(mode.im ?? 0))}i{mode.steady && ', steady'}
                </li>
              ))}
            </ol>
            <p class="muted">
              rank {spectrum.rank} · not linear {percent(spectrum.pairResidual)} · left over{' '}
              {percent(spectrum.reconstructionError)}
            </p>
          </div>
          <ChartFigure
            wide
            caption="Over the outer steps"
            label="Energy in steady modes and spectral radius"
            {...steady}
            sync={id}
            picked={picked}
            onPick={onPick}
            height={150}
          />
        </div>
      ) : (
        <p class="muted">There is no spectrum: only the estimator glocal asks the DMD service for one.</p>
      )}
      <WindowRows id={id} position={position} step={step} />
    </Section>
  );
}

/** Components of which the rows are drawn. */
const SHOWN = 7;

function WindowRows({
  id,
  position,
  step,
}: {
  readonly id: string;
  readonly position: number;
  readonly step: StepRow;
}) {
  const [open, setOpen] = useState(false);
  const [detail, setDetail] = useState<StepDetail | undefined>(undefined);
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  useEffect(() => {
    if (!open) return;
    const controller = new AbortController();
    // While it plays, only where it rests is asked for.
    const timer = setTimeout(() => {
      ask<StepDetail>(`/api/studies/${id}/steps/${step.index}?trial=${position}`, {
        signal: controller.signal,
      }).then(setDetail, (error: unknown) => controller.signal.aborted || setFault(faultOf(error)));
    }, 150);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [open, id, position, step.index]);
  const chart = useMemo(() => {
    const shown = detail?.components.slice(0, SHOWN) ?? [];
    return {
      x: [...(detail?.rowSteps ?? [])],
      lines: shown.map((label, i) => ({
        label,
        colour: lineColour(i),
        values: (detail?.rows ?? []).map((row) => row[i] ?? null),
      })),
    };
  }, [detail]);
  if (step.window === undefined) return null;
  const { rows, size, stride } = step.window;
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Rows of the window: {rows} hypergradients of {count(size)} {size === 1 ? 'component' : 'components'}
        {stride > 1 && `, every ${stride} steps`}
      </summary>
      {fault && <FaultNote fault={fault} />}
      {detail && detail.rows.length > 0 && (
        <>
          <SeriesChart label="Local hypergradients of the window" {...chart} height={200} />
          {size > SHOWN && (
            <p class="muted">
              The first {SHOWN} of {count(size)} components.
            </p>
          )}
          <p class="muted">
            Singular values: {detail.singularValues.slice(0, 10).map(short).join(', ') || 'none'}
          </p>
        </>
      )}
      {detail && detail.rows.length === 0 && <p class="muted">Its rows are not kept.</p>}
    </details>
  );
}
