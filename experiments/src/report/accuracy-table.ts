/** Test accuracies of the arms: one table for each task, a row for each title, a column for each start. */

import type { Finished, Outcome } from '../outcome.ts';
import { mean, meanPercent, percent } from './statistics.ts';
import { slug, type Table } from './table.ts';

/** Tables of the arms in their order. */
export function accuracyTables(finished: readonly Finished[]): Table[] {
  const byTable = Map.groupBy(finished, ({ arm }) => arm.table);
  return [...byTable].map(([title, arms]) => accuracyTable(title, arms));
}

function accuracyTable(title: string, arms: readonly Finished[]): Table {
  const starts = startsOf(arms);
  const hasGrid = arms.some(({ arm }) => arm.grid);
  const byTitle = Map.groupBy(arms, ({ arm }) => arm.title);
  return {
    id: slug(title),
    title,
    columns: ['', ...starts.map(columnName), ...(hasGrid ? ['best by validation'] : []), 'cost'],
    rows: [...byTitle].map(([row, parts]) => {
      const trials = parts.flatMap(({ trials }) => trials);
      return [
        row,
        ...starts.map((start) => accuracies(trials.filter((trial) => trial.start === start))),
        ...(hasGrid ? [parts.some(({ arm }) => arm.grid) ? byValidation(trials) : ''] : []),
        costOf(parts),
      ];
    }),
  };
}

const startsOf = (arms: readonly Finished[]): (number | undefined)[] =>
  [...new Set(arms.flatMap(({ trials }) => trials.map(({ start }) => start)))].sort(
    (a, b) => (a ?? 0) - (b ?? 0),
  );

const columnName = (start: number | undefined): string =>
  start === undefined ? '–' : `from ${Number(start.toPrecision(3))}`;

/** Mean over the seeds in %, and their range where there are several; none where one has failed. */
function accuracies(trials: readonly Outcome[]): string {
  if (trials.length === 0) return '';
  const values = accuraciesOf(trials);
  if (values.length === trials.length) return meanPercent(values);
  const failed = trials.filter(({ state }) => state !== 'SUCCEEDED');
  const how = failed.every(({ state }) => state === 'INFEASIBLE') ? 'diverged' : 'failed';
  return [...values.map((value) => percent(value)), `${failed.length} of ${trials.length} ${how}`].join(', ');
}

const accuraciesOf = (trials: readonly Outcome[]): number[] =>
  trials.map(({ accuracy }) => accuracy).filter((value) => value !== undefined);

/** Where somebody tries all starts with each seed, and takes the one whose validation accuracy is best. */
function byValidation(trials: readonly Outcome[]): string {
  const bySeed = [...Map.groupBy(trials, ({ seed }) => seed).values()];
  const chosen = bySeed.map((ofSeed) =>
    ofSeed
      .filter(({ accuracy }) => accuracy !== undefined)
      .reduce<Outcome | undefined>(
        (best, trial) =>
          best === undefined || (trial.validationAccuracy ?? 0) > (best.validationAccuracy ?? 0)
            ? trial
            : best,
        undefined,
      ),
  );
  return accuracies(chosen.filter((trial) => trial !== undefined));
}

/** In plain runs: of a grid all of its starts, else that of one of them; the mean over the seeds. */
function costOf(parts: readonly Finished[]): string {
  const isGrid = parts.some(({ arm }) => arm.grid);
  const byStart = Map.groupBy(
    parts.flatMap(({ trials }) => trials),
    ({ start }) => start,
  );
  const costs = [...byStart.values()].flatMap((trials) => {
    const known = trials.map(({ cost }) => cost).filter((cost) => cost !== undefined);
    return known.length === 0 ? [] : [mean(known)];
  });
  if (costs.length === 0) return '–';
  return (isGrid ? costs.reduce((sum, cost) => sum + cost, 0) : mean(costs)).toFixed(2);
}
