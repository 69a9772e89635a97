/** A stored window analyzed again with other options, beside what was recorded. Nothing is trained, nothing is stored. */

import { useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks';
import type { Fault, Figure, SpectrumRow, StepDetail, StudyDetail, WhatIf } from '../../api.ts';
import { UnitCircle } from '../charts/unit-circle.tsx';
import { percent, short, words } from '../format.ts';
import { Empty, FaultNote, Section, Waiting } from '../parts/common.tsx';
import { column, DataTable, numberColumn } from '../parts/data-table.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { VerdictLine } from '../parts/verdict-line.tsx';
import { ask, faultOf, post } from '../state/http.ts';
import { idOf, place, setQuery, studyPath } from '../state/router.ts';
import { followStudies, studies } from '../state/studies.ts';

/** Options of the decomposition, with what they are and what may be put in. */
const OPTIONS = [
  ['sigma', 'Rows σ', 'how many of the last rows', 1],
  ['delays', 'Delays m', 'hypergradients in one observable', 1],
  ['svdRank', 'Rank', '0 optimal, below 1 share of energy, −1 all', 'any'],
  ['clip', 'Clip', 'affine: largest eigenvalue of what decays', 'any'],
  ['ridge', 'Ridge', 'affine: added to squared singular values', 'any'],
  ['lastShare', 'Last share', 'of its largest that a trusted component ends with', 'any'],
  ['tolerance', 'Tolerance', 'how near to 1 is steady', 'any'],
] as const;
const VARIANTS = ['affine', 'hankel', 'forward_backward', 'optimized', 'mean', 'median', 'last'];

export function WhatIfPage() {
  useLayoutEffect(() => followStudies(), []);
  const { query } = place.value;
  const id = query.get('study') ?? '';
  const candidates = [...studies.value.values()].filter(
    ({ estimator, mode }) => estimator !== 'fixed' || mode === 'external',
  );
  return (
    <div class="what-if">
      <PageHead
        title="What if"
        about={
          <p class="muted">
            A window of hypergradients is analyzed again with other options. Nothing is trained, nothing is
            stored.
          </p>
        }
      >
        <label>
          Study{' '}
          <select
            value={id}
            onChange={(event) =>
              setQuery({ study: event.currentTarget.value, trial: undefined, step: undefined })
            }
          >
            <option value="">choose one …</option>
            {candidates.slice(0, 300).map(({ name, displayName }) => (
              <option key={name} value={idOf(name)}>
                {displayName || idOf(name)}
              </option>
            ))}
            {id !== '' && !candidates.some(({ name }) => idOf(name) === id) && (
              <option value={id}>{id}</option>
            )}
          </select>
        </label>
      </PageHead>
      {id === '' ? (
        <Empty title="Choose a study that has windows.">
          <p>Every outer step of a study also leads here: “What if …” beside its unit circle.</p>
        </Empty>
      ) : (
        <Window key={id} id={id} />
      )}
    </div>
  );
}

function Window({ id }: { readonly id: string }) {
  const { query } = place.value;
  const trial = Number(query.get('trial') ?? 0) || 0;
  const [detail, setDetail] = useState<StudyDetail | undefined>(undefined);
  const [recorded, setRecorded] = useState<StepDetail | undefined>(undefined);
  const [other, setOther] = useState<WhatIf | undefined>(undefined);
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  const [refused, setRefused] = useState<Fault | undefined>(undefined);
  useEffect(() => {
    ask<StudyDetail>(`/api/studies/${id}`).then(setDetail, (error: unknown) => setFault(faultOf(error)));
  }, [id]);
  const last = detail?.trials[trial]?.outerStepsDone ?? 0;
  const index = Math.min(Number(query.get('step')) || last, last);
  useEffect(() => {
    if (index < 1) return;
    ask<StepDetail>(`/api/studies/${id}/steps/${index}?trial=${trial}`).then(
      (found) => {
        setRecorded(found);
        setFault(undefined);
      },
      (error: unknown) => setFault(faultOf(error)),
    );
  }, [id, trial, index]);
  const given = Object.fromEntries(
    ['variant', ...OPTIONS.map(([key]) => key)].flatMap((key) =>
      query.has(key) ? [[key, query.get(key)]] : [],
    ),
  );
  const asked = JSON.stringify(given);
  useEffect(() => {
    if (index < 1) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      const { sigma, variant, ...numbers } = given;
      const dmd = {
        ...(variant && { variant }),
        ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, Number(value)])),
      };
      post<WhatIf>(`/api/studies/${id}/reanalyze`, {
        ...{ trial, index },
        ...(sigma && { sigma: Number(sigma) }),
        ...(Object.keys(dmd).length > 0 && { dmd }),
      }).then(
        (found) => {
          if (controller.signal.aborted) return;
          setOther(found);
          setRefused(undefined);
        },
        (error: unknown) => controller.signal.aborted || setRefused(faultOf(error)),
      );
    }, 250);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [id, trial, index, asked]);
  const method = (detail?.spec as { method?: { sigma?: number; dmd?: Record<string, unknown> } } | undefined)
    ?.method;
  const used = useMemo(
    (): Readonly<Record<string, unknown>> => ({ ...method?.dmd, sigma: method?.sigma }),
    [method],
  );
  if (fault) return <FaultNote fault={fault} />;
  if (detail === undefined) return <Waiting what="the study" />;
  if (last === 0) {
    return (
      <Empty title="It has no outer steps yet.">
        <p>
          <a href={studyPath(detail.study.name)}>Its page</a> shows when there are.
        </p>
      </Empty>
    );
  }
  const { step } = recorded ?? {};
  return (
    <div class="grid">
      <Section
        title="Options"
        tools={
          <a href={`${studyPath(detail.study.name)}?trial=${trial}&step=${index}`}>
            This outer step in its study
          </a>
        }
      >
        <div class="fields">
          {detail.trials.length > 1 && (
            <label>
              Trial
              <input
                type="number"
                min={0}
                max={detail.trials.length - 1}
                value={trial}
                onInput={(event) => setQuery({ trial: event.currentTarget.value })}
              />
            </label>
          )}
          <label>
            Outer step
            <input
              type="number"
              min={1}
              max={last}
              value={index}
              onInput={(event) => setQuery({ step: event.currentTarget.value })}
            />
          </label>
          <label>
            Variant
            <select
              value={query.get('variant') ?? ''}
              onChange={(event) => setQuery({ variant: event.currentTarget.value })}
            >
              <option value="">as recorded ({String(used.variant ?? '')})</option>
              {VARIANTS.map((one) => (
                <option key={one} value={one}>
                  {words(one)}
                </option>
              ))}
            </select>
          </label>
          {OPTIONS.map(([key, title, about, step]) => (
            <label key={key}>
              {title}
              <input
                type="number"
                step={step}
                value={query.get(key) ?? ''}
                placeholder={String(used[key] ?? '')}
                aria-describedby={`about-${key}`}
                onInput={(event) => setQuery({ [key]: event.currentTarget.value })}
              />
              <small class="muted" id={`about-${key}`}>
                {about}
              </small>
            </label>
          ))}
        </div>
        {refused && <FaultNote fault={refused} />}
      </Section>
      <div class="beside">
        <Found
          title="Recorded"
          verdict={step?.verdict}
          reason={step?.verdictReason}
          spectrum={step?.spectrum}
          about={step?.update?.reason}
        />
        <Found
          title="With these options"
          verdict={other?.verdict}
          reason={other?.verdictReason}
          spectrum={other?.spectrum}
          about={other?.reason}
        />
      </div>
      {other && recorded && <Estimates recorded={recorded} other={other} />}
    </div>
  );
}

interface FoundProps {
  readonly title: string;
  readonly verdict: string | undefined;
  readonly reason: string | undefined;
  readonly spectrum: SpectrumRow | undefined;
  readonly about: string | undefined;
}

function Found({ title, verdict, reason, spectrum, about }: FoundProps) {
  return (
    <Section title={title}>
      <VerdictLine verdict={verdict} reason={reason} />
      <UnitCircle spectrum={spectrum} label={title} />
      {spectrum && (
        <p class="muted">
          rank {spectrum.rank} · spectral radius {short(spectrum.radius)} · left over{' '}
          {percent(spectrum.reconstructionError)}
        </p>
      )}
      {about !== reason && <p>{about}</p>}
    </Section>
  );
}

/** Components of which the estimates are listed. */
const MOST = 40;

function Estimates({ recorded, other }: { readonly recorded: StepDetail; readonly other: WhatIf }) {
  const names = other.names.slice(0, MOST);
  const before = recorded.step.hypergradients?.used;
  const all = [...other.local, ...(other.glocal ?? []), ...(recorded.glocal ?? [])].map((value) =>
    Math.abs(value ?? 0),
  );
  const most = Math.max(...all, 1e-300);
  const cell = (value: Figure | undefined) => (
    <td class="number">
      <Bar value={value} most={most} /> {short(value)}
    </td>
  );
  return (
    <Section title="Estimates" about="Hypergradients with respect to the unconstrained coordinates.">
      <DataTable
        label="Estimates"
        columns={[
          column('Component'),
          ...['Local', 'Glocal, recorded', 'Glocal, with these options'].map(numberColumn),
          ...(before ? [numberColumn('Used, recorded')] : []),
          numberColumn('Would be used'),
          column('From'),
        ]}
      >
        {names.map((name, i) => (
          <tr key={name}>
            <th scope="row">{words(name)}</th>
            {cell(other.local[i])}
            {cell(recorded.glocal?.[i])}
            {cell(other.glocal?.[i])}
            {before && cell(before[i])}
            {cell(other.used[i])}
            <td>{words(other.sources[i] ?? '')}</td>
          </tr>
        ))}
      </DataTable>
      {other.names.length > MOST && (
        <p class="muted">
          The first {MOST} of {other.names.length} components.
        </p>
      )}
    </Section>
  );
}

const Bar = ({ value, most }: { readonly value: Figure | undefined; readonly most: number }) => (
  <svg class="tiny-bar" viewBox="-1 0 2 1" preserveAspectRatio="none" aria-hidden="true">
    <rect
      x={Math.min(0, (value ?? 0) / most)}
      y="0.2"
      width={Math.abs((value ?? 0) / most)}
      height="0.6"
      fill={(value ?? 0) < 0 ? 'var(--line-2)' : 'var(--line-1)'}
    />
    <line x1="0" x2="0" y1="0" y2="1" stroke="var(--muted)" stroke-width="0.03" />
  </svg>
);
