/** The schedule that was found: each hyperparameter over the inner steps. */

import { useMemo } from 'preact/hooks';
import type { Figure, StudyDetail, ValueRow } from '../../api.ts';
import { ChartFigure } from '../charts/chart-figure.tsx';
import type { Line } from '../charts/series-chart.tsx';
import { short, words } from '../format.ts';
import { Section } from '../parts/common.tsx';
import { place, setQuery } from '../state/router.ts';
import type { StudyModel } from '../state/study.ts';
import { bandOf, courseOf, edges, numberOf, seedsOf, startsOf } from './series.ts';

export interface CourseProps {
  readonly model: StudyModel;
  readonly detail: StudyDetail;
  /** Of the trial. */
  readonly position: number;
  readonly picked: number;
  readonly onPick: (index: number) => void;
}

/** So many seeds are read for a band. */
const MOST_SEEDS = 16;

/** Whether seeds are shown together, and those that are. */
export function useSeeds(detail: StudyDetail, position: number): readonly number[] {
  const seeds = seedsOf(detail, position);
  return place.value.query.get('seeds') === '1' && seeds.length > 1 ? seeds.slice(0, MOST_SEEDS) : [];
}

export function Schedules({ model, detail, position, picked, onPick }: CourseProps) {
  const seeds = useSeeds(detail, position);
  const steps = model.steps(position).value;
  const names = Object.keys(steps[0]?.values ?? {}).filter((name) => {
    const values = steps.map((step) => step.values[name]);
    return values.some((value) => typeof value === 'number' || (typeof value === 'object' && value !== null));
  });
  const moving = names.filter((name) => new Set(courseOf(steps, name)).size > 1);
  const shown = moving.length > 0 ? moving : names;
  const still = names.filter((name) => !shown.includes(name));
  const several = seedsOf(detail, position).length > 1;
  return (
    <Section
      title="Schedule"
      about="What each hyperparameter was in every outer step, on a logarithmic axis where its space has one."
      tools={
        several && (
          <label>
            <input
              type="checkbox"
              checked={seeds.length > 0}
              onChange={(event) => setQuery({ seeds: event.currentTarget.checked ? 1 : undefined })}
            />{' '}
            all seeds
          </label>
        )
      }
    >
      <div class="charts">
        {shown.map((name) => (
          <Schedule
            key={name}
            name={name}
            model={model}
            detail={detail}
            position={position}
            seeds={seeds}
            picked={picked}
            onPick={onPick}
          />
        ))}
      </div>
      {still.length > 0 && (
        <p class="muted">
          Without change:{' '}
          {still.map((name) => `${words(name)} ${short(numberOf(steps[0]?.values[name]))}`).join(', ')}
        </p>
      )}
    </Section>
  );
}

function Schedule({
  name,
  model,
  detail,
  position,
  seeds,
  picked,
  onPick,
}: CourseProps & { readonly name: string; readonly seeds: readonly number[] }) {
  const steps = model.steps(position).value;
  const others = seeds.map((seed) => model.steps(seed).value);
  const parameter = detail.parameters.find((one) => one.name === name);
  const log = parameter?.scale === 'log';
  const chart = useMemo(() => {
    const x = startsOf(steps);
    const part =
      (key: 'min' | 'max') =>
      (value: ValueRow | undefined): Figure =>
        typeof value === 'object' && value !== null ? value[key] : null;
    const course = courseOf(steps, name);
    const isVector = typeof steps[0]?.values[name] === 'object';
    if (others.length > 1 && others.every((one) => one.length > 0)) {
      const { mean, low, high } = bandOf(others.map((one) => courseOf(one, name)));
      const lines: Line[] = [
        ...edges('seeds', high, low, '--line-1', true),
        { label: `mean of ${others.length} seeds`, values: mean, colour: '--line-1', stepped: true },
      ];
      return { x: x.slice(0, mean.length), lines, bands: [{ upper: 0, lower: 1, colour: '--line-1' }] };
    }
    if (isVector) {
      const lines: Line[] = [
        ...edges(
          'entries',
          courseOf(steps, name, part('max')),
          courseOf(steps, name, part('min')),
          '--line-1',
          true,
        ),
        { label: 'mean of its entries', values: course, colour: '--line-1', stepped: true },
      ];
      return { x, lines, bands: [{ upper: 0, lower: 1, colour: '--line-1' }] };
    }
    return {
      x,
      lines: [{ label: words(name), values: course, colour: '--line-1', stepped: true }],
      bands: [],
    };
  }, [steps, ...others, name]);
  return (
    <ChartFigure
      caption={
        <>
          {words(name)} {log && <span class="muted">log</span>}
        </>
      }
      label={`${words(name)} over inner steps`}
      {...chart}
      log={log}
      sync={model.id}
      picked={picked}
      onPick={(index) => onPick(Math.min(index, steps.length - 1))}
    />
  );
}
