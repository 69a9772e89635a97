/** The files that the demo leaves: the schedule as a table, the outer steps as JSON lines, and two pictures. */

import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Quantity, spectrumChart, type TrajectoryPoint, trajectoryChart } from '@glocal/cli/charts';
import { eigenvaluesOf, jsonLines } from '@glocal/cli/files';
import { TOLERANCE } from './runs.ts';
import { demoValues, type FinishedRun, validationOf } from './study.ts';

const QUANTITIES: readonly Quantity[] = [
  { name: 'lr', title: 'learning rate', scale: 'log', interpolate: 'step-after' },
  { name: 'momentum', title: 'momentum or β', scale: 'linear', interpolate: 'step-after' },
  { name: 'weightDecay', title: 'weight decay', scale: 'log', interpolate: 'step-after' },
  { name: 'validation', title: 'validation loss (nats)', scale: 'linear', interpolate: 'linear' },
];

/**
 * Writes them all.
 * @param subtitle says what was trained, below the pictures' titles.
 * @returns their paths, relative to the working directory.
 */
export async function writeFiles(
  folder: string,
  runs: readonly FinishedRun[],
  subtitle: string,
): Promise<string[]> {
  const names = runs.map(({ kind }) => kind.title);
  const files: Record<string, string> = {
    'schedule.svg': await trajectoryChart(
      'Hyperparameters while training',
      subtitle,
      names,
      QUANTITIES,
      schedulePoints(runs),
    ),
    'schedule.csv': scheduleCsv(runs),
    'outer-steps.jsonl': outerStepLines(runs),
  };
  const glocal = runs.find(({ kind }) => kind.method.estimator === 'glocal');
  if (glocal !== undefined) {
    const title = `Eigenvalues of the windows, ${glocal.kind.title}`;
    const points = eigenvaluesOf(glocal.outerSteps);
    const note = `${glocal.outerSteps.length} windows · steady inside the dashed disc around 1`;
    files['spectrum.svg'] = await spectrumChart(title, note, TOLERANCE, points);
  }
  const paths = Object.keys(files).map((name) => join(folder, name));
  await Promise.all(Object.values(files).map((text, i) => writeFile(paths[i] as string, text)));
  return paths.map((path) => relative(process.cwd(), path));
}

/** One table with all runs: the schedule of each, its lines led by the run's name. */
function scheduleCsv(runs: readonly FinishedRun[]): string {
  const lines = runs.flatMap(({ kind, result }) =>
    (result.best?.schedule.points ?? []).map(({ step, values }) => {
      const { lr, momentum, weightDecay } = demoValues(values);
      return [kind.id, step, lr, momentum, weightDecay].join(',');
    }),
  );
  return `${['run,step,lr,momentum,weightDecay', ...lines].join('\n')}\n`;
}

/** One JSON object for each outer step: everything that the SDK knows of it. */
const outerStepLines = (runs: readonly FinishedRun[]): string =>
  jsonLines(runs.flatMap(({ kind, outerSteps }) => outerSteps.map((step) => ({ run: kind.id, ...step }))));

function schedulePoints(runs: readonly FinishedRun[]): TrajectoryPoint[] {
  return runs.flatMap(({ kind, result, outerSteps }) => {
    const run = kind.title;
    const schedule = (result.best?.schedule.points ?? []).flatMap(({ step, values }) =>
      Object.entries(demoValues(values)).map(([quantity, value]) => ({ run, step, quantity, value })),
    );
    // What was rolled back did not happen, and what is not finite cannot be drawn.
    const losses = outerSteps
      .filter(({ update }) => !update?.rolledBack)
      .map((outerStep) => ({ step: outerStep.step, value: validationOf(kind, outerStep).loss }))
      .filter(({ value }) => Number.isFinite(value))
      .map(({ step, value }) => ({ run, step, quantity: 'validation', value }));
    return [...schedule, ...losses];
  });
}
