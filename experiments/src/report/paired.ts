/** How far rows are from one of them, run by run: of the same start and the same seed, which sets the data's order and the first weights. */

import type { Finished, Outcome } from '../outcome.ts';
import { type Estimated, estimate, signedCells } from './statistics.ts';
import { slug, type Table } from './table.ts';

/** A row less the reference. */
export interface PairedDifference {
  readonly title: string;
  /** Of test accuracies, as shares; absent where a run of either has none. */
  readonly difference: Estimated | undefined;
  /** Pairs in which both have an accuracy. */
  readonly complete: number;
  readonly pairs: number;
}

const runOf = ({ start, seed }: Outcome): string => `${start} ${seed}`;

export function pairedDifferences(reference: Finished, others: readonly Finished[]): PairedDifference[] {
  const accuracies = new Map(reference.trials.map((trial) => [runOf(trial), trial.accuracy]));
  return others.map(({ arm, trials }) => {
    const differences = trials.flatMap((trial) => {
      const ofReference = accuracies.get(runOf(trial));
      return trial.accuracy === undefined || ofReference === undefined ? [] : [trial.accuracy - ofReference];
    });
    return {
      title: arm.title,
      difference: estimate(differences, trials.length),
      ...{ complete: differences.length, pairs: trials.length },
    };
  });
}

/** @param task title of the table that the rows are of. */
export const pairedTable = (
  task: string,
  reference: string,
  differences: readonly PairedDifference[],
): Table => ({
  id: `${slug(task)}-paired`,
  title: `${task}: test accuracy less that of ${reference}, in points`,
  columns: ['', 'mean', '95 % of means', 'pairs'],
  rows: differences.map(({ title, difference, complete, pairs }) => [
    title,
    ...signedCells(difference, 2),
    `${complete} of ${pairs}`,
  ]),
  note: "Pairs have the same start and the same seed. Intervals are Student's, over pairs, as if they were independent.",
});
