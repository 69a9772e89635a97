/** Studies beside each other: their courses overlaid, what each found, where they differ, and a baseline that stays. */

import { useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks';
import type { Fault, Figure, StudyDetail } from '../../api.ts';
import { detached, type Exported, save, toCsv, toPng, toSvg } from '../charts/export.ts';
import { LineSign } from '../charts/line-sign.tsx';
import { type Axis, ParallelCoordinates, type Path } from '../charts/parallel-coordinates.tsx';
import { type Line, SeriesChart } from '../charts/series-chart.tsx';
import { cost, loss, percent, short, words } from '../format.ts';
import { lineColour, lineDash } from '../palette.ts';
import { Choice, Empty, FaultNote, Section, State, Waiting } from '../parts/common.tsx';
import { column, DataTable, numberColumn } from '../parts/data-table.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ask, faultOf } from '../state/http.ts';
import { idOf, place, setQuery, studyPath } from '../state/router.ts';
import { followStudies, studies } from '../state/studies.ts';
import { StudyModel } from '../state/study.ts';
import { courseOf, endsOf, startsOf } from '../study/series.ts';

/** Figures of studies beside each other, as the SDK compares them. */
interface ComparedRow {
  readonly name: string;
  readonly displayName: string;
  readonly state: string;
  readonly estimator: string;
  readonly trials: number;
  readonly succeeded: number;
  readonly figures: Readonly<
    Record<
      string,
      | {
          readonly mean: Figure;
          readonly deviation?: Figure;
          readonly difference?: Figure;
          readonly differenceError?: Figure;
        }
      | undefined
    >
  >;
}
interface ComparisonRow {
  readonly studies: readonly ComparedRow[];
  readonly obstacles: readonly { readonly field: string }[];
  readonly lead?: {
    readonly study: string;
    readonly over: string;
    readonly by: number;
    readonly error?: number;
  };
}

/** Dashes of the line that the others are measured by. */
const BASELINE = [7, 4] as const;

const QUANTITIES = ['averagedLoss', 'loss', 'trainLoss', 'averagedAccuracy', 'accuracy'] as const;
const QUANTITY_WORDS: Readonly<Record<string, string>> = {
  averagedLoss: 'validation loss, averaged weights',
  loss: 'validation loss, last weights',
  trainLoss: 'training loss',
  averagedAccuracy: 'accuracy, averaged weights',
  accuracy: 'accuracy, last weights',
};

export function ComparePage() {
  const ids = (place.value.query.get('studies') ?? '').split(',').filter((id) => id !== '');
  if (ids.length === 0) return <Chooser ids={ids} />;
  return <Comparison key={ids.join()} ids={ids} />;
}

/** Studies by name, to be put beside those that are here. */
function Chooser({ ids }: { readonly ids: readonly string[] }) {
  useLayoutEffect(() => followStudies(), []);
  const known = [...studies.value.values()];
  const set = (next: readonly string[]) => setQuery({ studies: next.join(',') });
  return (
    <div>
      <PageHead title="Compare" />
      <Empty title="Nothing is chosen yet.">
        <p>
          Mark studies in <a href="/">the list</a>, or begin with one of the newest:
        </p>
        <ul>
          {known.slice(0, 12).map(({ name, displayName, state }) => (
            <li key={name}>
              <button type="button" class="plain link" onClick={() => set([...ids, idOf(name)])}>
                {displayName || idOf(name)}
              </button>{' '}
              <State state={state} />
            </li>
          ))}
        </ul>
      </Empty>
    </div>
  );
}

function Comparison({ ids }: { readonly ids: readonly string[] }) {
  useLayoutEffect(() => followStudies(), []);
  const { query } = place.value;
  const base = ids.includes(query.get('base') ?? '') ? (query.get('base') ?? '') : (ids[0] ?? '');
  const models = useMemo(() => ids.map((id) => new StudyModel(id)), [ids.join()]);
  useEffect(() => {
    for (const model of models) model.open();
    return () => {
      for (const model of models) model.close();
    };
  }, [models]);
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  const [compared, setCompared] = useState<ComparisonRow | undefined>(undefined);
  const states = models.map((model) => model.detail.value?.study.state).join();
  useEffect(() => {
    const others = ids.filter((id) => id !== base).join(',');
    ask<ComparisonRow>(`/api/studies/${base}/compare?with=${others}`).then(
      (found) => {
        setCompared(found);
        setFault(undefined);
      },
      (error: unknown) => setFault(faultOf(error)),
    );
  }, [ids.join(), base, states]);
  const details = models.flatMap((model) => model.detail.value ?? []);
  const remove = (id: string) =>
    setQuery({ studies: ids.filter((one) => one !== id).join(','), base: base === id ? undefined : base });
  const rest = [...studies.value.values()].filter(({ name }) => !ids.includes(idOf(name)));
  return (
    <div class="compare">
      <PageHead title={`Compare ${ids.length} ${ids.length === 1 ? 'study' : 'studies'}`}>
        <label>
          Add{' '}
          <select
            value=""
            onChange={(event) => setQuery({ studies: [...ids, event.currentTarget.value].join(',') })}
          >
            <option value="">a study …</option>
            {rest.slice(0, 200).map(({ name, displayName }) => (
              <option key={name} value={idOf(name)}>
                {displayName || idOf(name)}
              </option>
            ))}
          </select>
        </label>
      </PageHead>
      {models.map((model) => model.fault.value && <FaultNote key={model.id} fault={model.fault.value} />)}
      {details.length === 0 && !models.some((model) => model.fault.value) && <Waiting what="the studies" />}
      {fault && <FaultNote fault={fault} />}
      {details.length > 0 && (
        <div class="grid">
          <Figures ids={ids} base={base} details={details} compared={compared} onRemove={remove} />
          <Overlay models={models} base={base} />
          <Parallel models={models} details={details} />
          <Differences details={details} />
        </div>
      )}
    </div>
  );
}

interface FiguresProps {
  readonly ids: readonly string[];
  readonly base: string;
  readonly details: readonly StudyDetail[];
  readonly compared: ComparisonRow | undefined;
  readonly onRemove: (id: string) => void;
}

const FIGURES = [
  ['validationLoss', 'Validation loss', loss],
  ['validationAccuracy', 'Validation accuracy', percent],
  ['testAccuracy', 'Test accuracy', percent],
  ['cost', 'Cost in plain runs', cost],
] as const;

function Figures({ ids, base, details, compared, onRemove }: FiguresProps) {
  const nameOf = (name: string): string => {
    const found = details.find(({ study }) => study.name === name);
    return found?.study.displayName || idOf(name);
  };
  const lead = compared?.lead;
  return (
    <Section
      title="What each found"
      about="Means over the seeds at a study's best point, with the standard deviation, and the difference to the baseline."
    >
      {compared && compared.obstacles.length > 0 && (
        <p class="note">
          These figures are of different things: the studies differ in{' '}
          {compared.obstacles.map(({ field }) => field).join(', ')}.
        </p>
      )}
      {lead && (
        <p>
          <b>{nameOf(lead.study)}</b> is ahead: its validation loss is {loss(lead.by)}
          {lead.error ? ` ± ${loss(lead.error)}` : ''} below that of {nameOf(lead.over)}.
        </p>
      )}
      <DataTable
        label="Figures"
        columns={[
          ...['Baseline', 'Study', 'State'].map(column),
          ...FIGURES.map(([, title]) => numberColumn(title)),
          { key: 'out', title: <span class="hidden">Leave out</span> },
        ]}
      >
        {details.map(({ study }) => {
          const id = idOf(study.name);
          const found = compared?.studies.find(({ name }) => name === study.name);
          return (
            <tr key={id} class={id === base ? 'chosen' : ''}>
              <td>
                <input
                  type="radio"
                  name="base"
                  aria-label={`Compare with ${study.displayName || id}`}
                  checked={id === base}
                  onChange={() => setQuery({ base: id })}
                />
              </td>
              <td>
                <LineSign
                  colour={lineColour(ids.indexOf(id))}
                  dash={id === base ? BASELINE : lineDash(ids.indexOf(id))}
                />{' '}
                <a href={studyPath(study.name)}>{study.displayName || id}</a>{' '}
                <small class="muted">{study.estimator}</small>
              </td>
              <td>
                <State state={study.state} />
              </td>
              {FIGURES.map(([key, , format]) => {
                const figure = found?.figures[key];
                return (
                  <td key={key} class="number">
                    {compared === undefined ? '…' : format(figure?.mean)}
                    {figure?.deviation !== undefined && figure.deviation !== null && (
                      <small class="muted"> ± {format(figure.deviation)}</small>
                    )}
                    {figure?.difference !== undefined && figure.difference !== null && (
                      <small>
                        {' '}
                        ({figure.difference > 0 ? '+' : ''}
                        {format(figure.difference)})
                      </small>
                    )}
                  </td>
                );
              })}
              <td>
                <button
                  type="button"
                  class="plain"
                  aria-label={`Leave out ${study.displayName || id}`}
                  onClick={() => onRemove(id)}
                >
                  ×
                </button>
              </td>
            </tr>
          );
        })}
      </DataTable>
    </Section>
  );
}

const isQuantity = (name: string): name is (typeof QUANTITIES)[number] =>
  (QUANTITIES as readonly string[]).includes(name);

function Overlay({ models, base }: { readonly models: readonly StudyModel[]; readonly base: string }) {
  const what = place.value.query.get('what') ?? 'averagedLoss';
  const log = place.value.query.get('log') === '1';
  const courses = models.map((model) => model.steps(bestOf(model.detail.value)).value);
  const names = [
    ...new Set(
      courses.flatMap((steps) =>
        Object.entries(steps[0]?.values ?? {}).flatMap(([name, value]) =>
          typeof value === 'number' ? [name] : [],
        ),
      ),
    ),
  ];
  const exported = useMemo((): Exported => {
    const series = models.map((model, i) => {
      const steps = courses[i] ?? [];
      const label = model.detail.value?.study.displayName || model.id;
      const line = isQuantity(what)
        ? { x: endsOf(steps), values: steps.map((step) => step[what]) }
        : { x: startsOf(steps), values: courseOf(steps, what) };
      const dash = model.id === base ? BASELINE : lineDash(i);
      return { label, colour: lineColour(i), ...line, ...(dash && { dash }) };
    });
    return { title: QUANTITY_WORDS[what] ?? words(what), xLabel: 'inner step', series, log };
  }, [what, log, base, ...courses, ...models.map((model) => model.detail.value)]);
  const chart = useMemo(() => aligned(exported, !isQuantity(what)), [exported, what]);
  const file = `glocal-${what}`;
  return (
    <Section
      title="Courses"
      about="Of the best trial of each study, the baseline dashed and thicker."
      tools={
        <div class="buttons">
          <Choice
            label="Show"
            value={what}
            options={[
              ...QUANTITIES.map((one) => [one, QUANTITY_WORDS[one] ?? one] as const),
              ...names.map((name) => [name, words(name)] as const),
            ]}
            onChange={(value) => setQuery({ what: value })}
          />
          <label>
            <input
              type="checkbox"
              checked={log}
              onChange={(event) => setQuery({ log: event.currentTarget.checked ? 1 : undefined })}
            />{' '}
            log
          </label>
          <button type="button" onClick={() => save(`${file}.svg`, 'image/svg+xml', toSvg(exported))}>
            SVG
          </button>
          <button
            type="button"
            onClick={() => void toPng(toSvg(exported)).then((png) => save(`${file}.png`, 'image/png', png))}
          >
            PNG
          </button>
          <button type="button" onClick={() => save(`${file}.csv`, 'text/csv', toCsv(exported))}>
            CSV
          </button>
        </div>
      }
    >
      <SeriesChart
        label={exported.title}
        {...chart}
        log={log}
        height={320}
        format={what.toLowerCase().endsWith('accuracy') ? percent : short}
      />
    </Section>
  );
}

/** Position of the trial with the lowest validation loss so far. */
function bestOf(detail: StudyDetail | undefined): number {
  const read = detail?.trials.map(
    (trial) =>
      (detail.study.evaluation === 'averaged' ? trial.averagedValidation : trial.validation)?.loss ??
      Number.POSITIVE_INFINITY,
  );
  return read === undefined || read.length === 0 ? 0 : Math.max(0, read.indexOf(Math.min(...read)));
}

/** Series with inner steps of their own over those of all; values hold where they are steps of a schedule, and are joined else. */
function aligned({ series }: Exported, stepped: boolean): { x: number[]; lines: Line[] } {
  const x = [...new Set(series.flatMap((one) => one.x))].sort((a, b) => a - b);
  const lines = series.map(({ label, colour, dash, x: own, values }): Line => {
    const at = new Map(own.map((step, i) => [step, values[i] ?? null]));
    const last = own.at(-1) ?? -1;
    let before: readonly [number, Figure] | undefined;
    const filled = x.map((step): Figure => {
      const value = at.get(step);
      if (value !== undefined) {
        before = [step, value];
        return value;
      }
      if (before === undefined || step > last) return null;
      if (stepped || before[1] === null) return before[1];
      const next = own.find((one) => one > step) ?? last;
      const there = at.get(next) ?? null;
      return there === null
        ? null
        : before[1] + ((there - before[1]) * (step - before[0])) / (next - before[0]);
    });
    return {
      label,
      colour,
      values: filled,
      stepped,
      ...(dash && { dash }),
      ...(dash === BASELINE && { width: 3 }),
    };
  });
  return { x, lines };
}

function Parallel({
  models,
  details,
}: {
  readonly models: readonly StudyModel[];
  readonly details: readonly StudyDetail[];
}) {
  const id = 'parallel-coordinates-picture';
  const { axes, paths } = useMemo(() => pathsOf(details, models), [...details]);
  if (axes.length < 2) return null;
  return (
    <Section
      title="Where trials started, and what came of it"
      about="A line for each trial, in the colour of its study, over initial values, choices and results."
      tools={
        <button
          type="button"
          onClick={() => {
            const svg = document.getElementById(id);
            if (svg instanceof SVGSVGElement) save('glocal-trials.svg', 'image/svg+xml', detached(svg));
          }}
        >
          SVG
        </button>
      }
    >
      <ParallelCoordinates id={id} axes={axes} paths={paths} label="Trials" />
    </Section>
  );
}

interface SpaceData {
  readonly [name: string]: unknown;
}

function pathsOf(
  details: readonly StudyDetail[],
  models: readonly StudyModel[],
): { axes: Axis[]; paths: Path[] } {
  const paths = details.flatMap(({ study, trials, spec }) => {
    const space = ((spec as { space?: SpaceData }).space ?? {}) as SpaceData;
    const initial = Object.fromEntries(
      Object.entries(space).flatMap(([name, parameter]) => {
        const init =
          typeof parameter === 'number'
            ? parameter
            : (parameter as { init?: unknown; value?: unknown } | null)?.init;
        return typeof init === 'number' ? [[name, init]] : [];
      }),
    );
    return trials.map((trial): Path => {
      const read = study.evaluation === 'averaged' ? trial.averagedValidation : trial.validation;
      return {
        key: trial.name,
        label: `${study.displayName || idOf(study.name)}, trial ${trial.position}`,
        study: models.findIndex(({ name }) => name === study.name),
        values: {
          estimator: study.estimator,
          ...initial,
          ...trial.choices,
          seed: trial.seed,
          'validation loss': read?.loss,
          accuracy: read?.accuracy,
          cost: trial.cost,
        },
      };
    });
  });
  const names = [...new Set(paths.flatMap(({ values }) => Object.keys(values)))];
  const results = ['validation loss', 'accuracy', 'cost'];
  const logs = new Set(
    details.flatMap(({ parameters }) =>
      parameters.flatMap(({ name, scale }) => (scale === 'log' ? [name] : [])),
    ),
  );
  // An axis on which all are alike says nothing.
  const differs = (name: string) => new Set(paths.map(({ values }) => String(values[name] ?? ''))).size > 1;
  const axes = names
    .filter((name) => !results.includes(name) && differs(name))
    .slice(0, 8)
    .concat(
      results.filter((name) =>
        paths.some(({ values }) => values[name] !== undefined && values[name] !== null),
      ),
    )
    .map((name): Axis => ({ name, log: logs.has(name) }));
  return { axes, paths };
}

function Differences({ details }: { readonly details: readonly StudyDetail[] }) {
  const rows = useMemo(() => {
    const flat = details.map(({ spec }) => new Map(flattened(spec)));
    const keys = [...new Set(flat.flatMap((one) => [...one.keys()]))];
    return keys
      .map((key) => [key, flat.map((one) => one.get(key))] as const)
      .filter(([key, values]) => key !== 'displayName' && new Set(values).size > 1);
  }, [...details]);
  return (
    <Section title="Differences" about="What the specifications do not have in common, defaults included.">
      {rows.length === 0 ? (
        <p class="muted">
          {details.length < 2
            ? 'Add another study to see where they differ.'
            : 'There are none: the studies are alike.'}
        </p>
      ) : (
        <DataTable
          label="Differences"
          columns={[
            column('Setting'),
            ...details.map(({ study }) => ({
              key: study.name,
              title: study.displayName || idOf(study.name),
            })),
          ]}
        >
          {rows.map(([key, values]) => (
            <tr key={key}>
              <th scope="row">
                <code>{key}</code>
              </th>
              {values.map((value, i) => (
                <td key={i}>{value ?? <span class="muted">–</span>}</td>
              ))}
            </tr>
          ))}
        </DataTable>
      )}
    </Section>
  );
}

/** Leaves of plain data with their paths. */
function flattened(data: unknown, path = ''): [string, string][] {
  if (Array.isArray(data) || typeof data !== 'object' || data === null)
    return [[path, Array.isArray(data) ? data.join(', ') : String(data)]];
  return Object.entries(data).flatMap(([key, value]) =>
    flattened(value, path === '' ? key : `${path}.${key}`),
  );
}
