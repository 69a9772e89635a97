/**
 * How far tuned rows are from the best of all controls of their table, seed by seed: what somebody has who trains with every one of them, and
 * takes the one whose validation accuracy is best.
 */

import type { Finished, Outcome } from '../outcome.ts';
import { estimate, signedCells } from './statistics.ts';
import { slug, type Table } from './table.ts';

/** One for each task that has both, with a row for each tuned row and start. */
export function differenceTables(finished: readonly Finished[]): Table[] {
  const byTable = Map.groupBy(finished, ({ arm }) => arm.table);
  return [...byTable].flatMap(([title, arms]) => {
    const controls = arms.filter(({ arm }) => !arm.tuned).flatMap(ranOf);
    const best = new Map(
      [...Map.groupBy(controls, ({ seed }) => seed)].flatMap(([seed, trials]) => {
        const { accuracy } = bestByValidation(trials) ?? {};
        return accuracy === undefined ? [] : [[seed, accuracy] as const];
      }),
    );
    const rows = arms.filter(({ arm }) => arm.tuned).flatMap((row) => differencesOf(row, best));
    return best.size === 0 || rows.length === 0 ? [] : [table(title, rows, costOf(controls, best.size))];
  });
}

/** A trial may be in several rows, that differ in what was read out. */
type Ran = Outcome & { readonly row: string };

const ranOf = ({ arm, trials }: Finished): Ran[] => trials.map((trial) => ({ ...trial, row: arm.title }));

const bestByValidation = (trials: readonly Ran[]): Ran | undefined =>
  trials
    .filter(({ accuracy }) => accuracy !== undefined)
    .toSorted((a, b) => (b.validationAccuracy ?? 0) - (a.validationAccuracy ?? 0))[0];

/** Of all of them for one seed; each training counts once. */
function costOf(trials: readonly Ran[], seeds: number): number {
  const costs = new Map(trials.map(({ trial, cost }) => [trial, cost ?? 0]));
  return [...costs.values()].reduce((sum, cost) => sum + cost, 0) / seeds;
}

function differencesOf({ arm, trials }: Finished, best: ReadonlyMap<number, number>): string[][] {
  const byStart = [...Map.groupBy(trials, ({ start }) => start)];
  return byStart.map(([start, ofStart]) => {
    const differences = ofStart.flatMap(({ seed, accuracy }) => {
      const control = best.get(seed);
      return accuracy === undefined || control === undefined ? [] : [accuracy - control];
    });
    return [
      arm.title,
      start === undefined ? '–' : String(Number(start.toPrecision(3))),
      ...signedCells(estimate(differences, ofStart.length)),
      `${differences.length} of ${ofStart.length}`,
    ];
  });
}

const table = (title: string, rows: readonly string[][], cost: number): Table => ({
  id: `${slug(title)}-differences`,
  title: `${title}: test accuracy less that of the best control, in points`,
  columns: ['', 'from', 'mean', '95 % of means', 'seeds'],
  rows,
  note:
    `The best control is, for each seed, the one with the best validation accuracy of all rows in which nothing was tuned; to have run them all ` +
    `costs ${cost.toFixed(1)} plain runs. Intervals are Student's, over seeds.`,
});
