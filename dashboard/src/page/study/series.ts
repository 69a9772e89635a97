/** Courses of trials as lines of charts. */

import type { Figure, StepRow, StudyDetail, ValueRow } from '../../api.ts';
import type { Line } from '../charts/series-chart.tsx';

/** Inner steps done at the end of each outer step. */
export const endsOf = (steps: readonly StepRow[]): number[] => steps.map(({ step }) => step);

/** Where each outer step began, and where the last one ended: values hold between two of these. */
export const startsOf = (steps: readonly StepRow[]): number[] => [0, ...endsOf(steps)];

export const numberOf = (value: ValueRow | undefined): Figure =>
  typeof value === 'number' ? value : typeof value === 'object' && value !== null ? value.mean : null;

/** A hyperparameter over time, at {@link startsOf}: what it was in each outer step, and where it moved last. */
export function courseOf(steps: readonly StepRow[], name: string, pick = numberOf): Figure[] {
  const last = steps.at(-1);
  return [...steps.map(({ values }) => pick(values[name])), pick(last?.next[name] ?? last?.values[name])];
}

/** The trials that differ from this one by their seed alone. */
export function seedsOf({ trials }: StudyDetail, position: number): readonly number[] {
  const point = JSON.stringify(trials[position]?.choices);
  return trials.filter(({ choices }) => JSON.stringify(choices) === point).map(({ position }) => position);
}

/** Mean and extent over courses, as far as all of them are. */
export function bandOf(courses: readonly (readonly Figure[])[]): {
  mean: Figure[];
  low: Figure[];
  high: Figure[];
} {
  const length = Math.min(...courses.map((course) => course.length));
  const at = (i: number): number[] =>
    courses.flatMap((course) => (course[i] === null || course[i] === undefined ? [] : [course[i]]));
  const over = (of: (values: number[]) => number): Figure[] =>
    Array.from({ length }, (_, i) => (at(i).length === 0 ? null : of(at(i))));
  return {
    mean: over((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
    low: over((values) => Math.min(...values)),
    high: over((values) => Math.max(...values)),
  };
}

/** Two edges that a band lies between, and which are not listed. */
export const edges = (
  label: string,
  high: readonly Figure[],
  low: readonly Figure[],
  colour: string,
  stepped = false,
): [Line, Line] => [
  { label: `${label} highest`, values: high, colour, edge: true, stepped },
  { label: `${label} lowest`, values: low, colour, edge: true, stepped },
];
