/** How hyperparameters and validation accuracy went while training: one picture for each start, a line for each row. */

import { type Quantity, type TrajectoryPoint, trajectoryChart } from '@glocal/cli/charts';
import type { GlocalClient, OuterStep } from '@glocal/sdk';
import type { Finished, Outcome } from '../outcome.ts';
import type { Figure } from '../report/figure.ts';
import { slug } from '../report/table.ts';

/** A line more would not be told apart from the others. */
const MOST_LINES = 8;
const ACCURACY: Quantity = {
  ...{ name: 'accuracy', title: 'validation accuracy in %' },
  ...{ scale: 'linear', interpolate: 'linear' },
};

/** Of the first seed of each start. @param finished with one start at least */
export async function scheduleFigures(
  { studies }: Pick<GlocalClient, 'studies'>,
  finished: readonly Finished[],
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [table, arms] of Map.groupBy(finished, ({ arm }) => arm.table)) {
    const shown = arms.filter(({ arm }) => !arm.grid).slice(0, MOST_LINES);
    const starts = new Set(shown.flatMap(({ trials }) => trials.map(({ start }) => start)));
    for (const start of starts) {
      const points: TrajectoryPoint[] = [];
      for (const { arm, study, trials } of shown) {
        const trial = trials.find((one) => one.start === start);
        if (trial === undefined) continue;
        const steps = (await studies.get(study)).outerSteps({ trial: trial.trial });
        for await (const step of steps) points.push(...pointsOf(arm.title, arm.readout, step));
      }
      figures.push(await figure(table, start, shown, points));
    }
  }
  return figures;
}

async function figure(
  table: string,
  start: Outcome['start'],
  shown: readonly Finished[],
  points: readonly TrajectoryPoint[],
): Promise<Figure> {
  const names = [...new Set(points.map(({ quantity }) => quantity))].filter((name) => name !== ACCURACY.name);
  const quantities = names.map((name) => quantityOf(name, points));
  const runs = shown.map(({ arm }) => arm.title).filter((title) => points.some(({ run }) => run === title));
  const title = `Hyperparameters while training${start === undefined ? '' : `, from a rate of ${start}`}`;
  return {
    id: slug(`${table} from ${start ?? 'one start'}`),
    svg: await trajectoryChart(title, table, runs, [...quantities, ACCURACY], points),
  };
}

/** A rate that goes over orders of magnitude is drawn so. */
function quantityOf(name: string, points: readonly TrajectoryPoint[]): Quantity {
  const values = points.filter(({ quantity }) => quantity === name).map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const scale = least > 0 && most > 30 * least ? 'log' : 'linear';
  return { name, title: name, scale, interpolate: 'step-after' };
}

function pointsOf(run: string, readout: string, outer: OuterStep): TrajectoryPoint[] {
  if (outer.update?.rolledBack) return [];
  const { step, nextValues, validation, averagedValidation } = outer;
  const { accuracy } = readout === 'last' ? validation : averagedValidation;
  const values = Object.entries(nextValues as Readonly<Record<string, unknown>>)
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
    .map(([quantity, value]) => ({ run, step, quantity, value }));
  return [...values, { run, step, quantity: ACCURACY.name, value: 100 * accuracy }].filter(({ value }) =>
    Number.isFinite(value),
  );
}
