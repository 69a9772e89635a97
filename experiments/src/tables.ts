/** Tables of an experiment, in Markdown. */

import type { Finished, Outcome } from './run.ts';

/** One table for each task: a row for each arm, a column for each start. */
export function tables(finished: readonly Finished[]): string {
  const byTable = Map.groupBy(finished, ({ arm }) => arm.table);
  return [...byTable].map(([title, arms]) => `${title}\n\n${table(arms)}\n`).join('\n');
}

function table(arms: readonly Finished[]): string {
  const starts = [...new Set(arms.flatMap(({ trials }) => trials.map(startName)))];
  const head = ['', ...starts.map((start) => `from ${start}`), 'cost'];
  const rows = arms.map(({ arm, trials }) => [
    arm.title,
    ...starts.map((start) => accuracy(trials.filter((trial) => startName(trial) === start))),
    cost(trials),
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const startName = ({ start }: Outcome): string =>
  start === undefined ? '–' : Number(start.toPrecision(3)).toString();

/** Mean over the seeds in %, and their range where there are several. */
function accuracy(trials: readonly Outcome[]): string {
  if (trials.length === 0) return '';
  const values = trials.map(({ accuracy }) => accuracy).filter((value) => value !== undefined);
  if (values.length < trials.length) return `${trials.length - values.length} of ${trials.length} failed`;
  const spread = values.length > 1 ? ` ± ${percent((Math.max(...values) - Math.min(...values)) / 2)}` : '';
  return percent(mean(values)) + spread;
}

function cost(trials: readonly Outcome[]): string {
  const known = trials.map(({ cost }) => cost).filter((value) => value !== undefined);
  return known.length === 0 ? '–' : mean(known).toFixed(2);
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const percent = (share: number): string => (100 * share).toFixed(1);
