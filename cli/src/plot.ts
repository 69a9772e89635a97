/** Pictures of studies: what a server knows of them, made into points, and drawn by `charts.ts`. */

import type { OuterStep, Study } from '@glocal/sdk';
import {
  type HypergradientPoint,
  hypergradientChart,
  type Quantity,
  spectrumChart,
  type TrajectoryPoint,
  trajectoryChart,
} from './charts.ts';
import { CommandError, FAILED } from './exit.ts';
import { eigenvaluesOf } from './files.ts';
import type { Picture } from './pictures.ts';

type TrialName = number | string;

/**
 * Draws it.
 * @param studies one, or several side by side where the picture can have several.
 * @param trial of each study.
 * @returns SVG
 * @throws CommandError when there is nothing to draw
 */
export function drawStudies(what: Picture, studies: readonly Study[], trial: TrialName): Promise<string> {
  const [first] = studies;
  if (first === undefined) throw new Error('a picture is of a study');
  switch (what) {
    case 'schedule':
      return drawSchedule(studies, trial);
    case 'losses':
      return drawLosses(studies, trial);
    case 'hypergradients':
      return drawHypergradients(first, trial);
    case 'spectrum':
      return drawSpectrum(first, trial);
  }
}

async function drawSchedule(studies: readonly Study[], trial: TrialName): Promise<string> {
  const titles = titlesOf(studies);
  const points: TrajectoryPoint[] = [];
  const parameters = new Set<string>();
  for (const [i, study] of studies.entries()) {
    const run = titles[i] ?? '';
    for (const { step, values } of (await study.schedule({ trial })).points) {
      for (const [quantity, value] of Object.entries(values as Readonly<Record<string, unknown>>)) {
        // One line cannot show a vector; the table has it.
        if (typeof value !== 'number' || !Number.isFinite(value)) continue;
        parameters.add(quantity);
        points.push({ run, step, quantity, value });
      }
    }
    const counts = countingLoss(study);
    const losses = lossPoints(run, await outerSteps(study, trial));
    points.push(...losses.filter(({ quantity }) => quantity === counts));
  }
  const quantities: Quantity[] = [...parameters].map((name) => ({
    name,
    title: name,
    scale: isLogarithmic(name, studies, points) ? 'log' : 'linear',
    interpolate: 'step-after',
  }));
  return trajectoryChart(
    'Hyperparameters while training',
    subtitleOf(studies),
    titles,
    [...quantities, ...LOSSES.filter(({ name }) => points.some(({ quantity }) => quantity === name))],
    points,
  );
}

async function drawLosses(studies: readonly Study[], trial: TrialName): Promise<string> {
  const titles = titlesOf(studies);
  const points: TrajectoryPoint[] = [];
  for (const [i, study] of studies.entries()) {
    points.push(...lossPoints(titles[i] ?? '', await outerSteps(study, trial)));
  }
  const quantities = LOSSES.filter(({ name }) => points.some(({ quantity }) => quantity === name));
  return trajectoryChart('Losses while training', subtitleOf(studies), titles, quantities, points);
}

async function drawHypergradients(study: Study, trial: TrialName): Promise<string> {
  const steps = await outerSteps(study, trial, { includeWindows: true });
  const windows = steps.filter(({ window }) => window !== undefined);
  const components = windows[0]?.window?.components ?? [];
  if (components.length === 0) throw new CommandError(`${study.name} has no windows to draw yet`, FAILED);
  // As many panels as a page has room for.
  const shown = components.slice(0, 12);
  const left = components.length - shown.length;
  const points = windows.flatMap((step) => hypergradientPoints(step, shown));
  const subtitle = `${subtitleOf([study])} · ${windows.length} windows${left > 0 ? ` · ${left} components not shown` : ''}`;
  return hypergradientChart('Local and glocal hypergradients', subtitle, shown, points);
}

async function drawSpectrum(study: Study, trial: TrialName): Promise<string> {
  const steps = await outerSteps(study, trial);
  const windows = steps.filter(({ report }) => report !== undefined);
  if (windows.length === 0) {
    throw new CommandError(`${study.name} has no spectrum: no window of it was decomposed`, FAILED);
  }
  const subtitle = `${subtitleOf([study])} · ${windows.length} windows · steady inside the dashed disc around 1`;
  return spectrumChart(
    'Eigenvalues of the windows',
    subtitle,
    study.method.dmd.tolerance,
    eigenvaluesOf(windows),
  );
}

/** Each row of a window at its step, and the estimate at the end of the window. */
export function hypergradientPoints(
  { window, report }: Pick<OuterStep, 'window' | 'report'>,
  shown: readonly string[],
): HypergradientPoint[] {
  if (window === undefined) return [];
  const { components, firstStep, stride, hypergradients = [] } = window;
  const pointsOf = (vector: Float64Array, step: number, kind: HypergradientPoint['kind']) =>
    shown.flatMap((component): HypergradientPoint[] => {
      const value = vector[components.indexOf(component)];
      return value !== undefined && Number.isFinite(value) ? [{ component, step, value, kind }] : [];
    });
  const rows = hypergradients.flatMap((row, i) => pointsOf(row, firstStep + i * stride, 'local'));
  const end = firstStep + Math.max(0, hypergradients.length - 1) * stride;
  return [...rows, ...(report?.glocal === undefined ? [] : pointsOf(report.glocal, end, 'glocal'))];
}

/** The validation loss that goes with a study's hypergradients: that of the weights at which they are taken. */
export const countingLoss = ({ method }: Pick<Study, 'method'>): string =>
  method.evaluation === 'averaged' ? AVERAGED : VALIDATION;

const VALIDATION = 'validation';
const AVERAGED = 'averaged';
const VALIDATION_LOSS: Quantity = {
  name: VALIDATION,
  title: 'validation loss',
  scale: 'linear',
  interpolate: 'linear',
};
const LOSSES: readonly Quantity[] = [
  { ...VALIDATION_LOSS, name: 'training', title: 'training loss' },
  VALIDATION_LOSS,
  { ...VALIDATION_LOSS, name: AVERAGED, title: 'validation loss of the averaged weights' },
];

/** What was rolled back did not happen, and what is not finite cannot be drawn. */
function lossPoints(run: string, steps: readonly OuterStep[]): TrajectoryPoint[] {
  return steps
    .filter(({ update }) => !update?.rolledBack)
    .flatMap(({ step, trainLoss, validation, averagedValidation }) => [
      { run, step, quantity: 'training', value: trainLoss },
      { run, step, quantity: VALIDATION, value: validation.loss },
      { run, step, quantity: AVERAGED, value: averagedValidation.loss },
    ])
    .filter(({ value }) => Number.isFinite(value));
}

/** As the space says, where values permit it: one may have been given as 0. */
function isLogarithmic(name: string, studies: readonly Study[], points: readonly TrajectoryPoint[]): boolean {
  const values = points.filter(({ quantity }) => quantity === name).map(({ value }) => value);
  if (values.some((value) => value <= 0)) return false;
  const isWide = Math.max(...values) > 30 * Math.min(...values);
  return (
    isWide ||
    studies.some(({ space: { parameters } }) => {
      const parameter = parameters[name];
      return parameter?.kind === 'float' && parameter.scale === 'log';
    })
  );
}

const outerSteps = (study: Study, trial: TrialName, options = {}): Promise<OuterStep[]> =>
  Array.fromAsync(study.outerSteps({ trial, ...options }));

/** Names of lines: those for people, made different where two are alike. */
export function titlesOf(studies: readonly Pick<Study, 'name' | 'displayName'>[]): string[] {
  const titles = studies.map(({ name, displayName }) => displayName || name.slice('studies/'.length));
  return titles.map((title, i) =>
    titles.indexOf(title) === titles.lastIndexOf(title) ? title : `${title} (${i + 1})`,
  );
}

function subtitleOf(studies: readonly Study[]): string {
  const problems = studies.map(({ problem: { dataset, model, module } }) =>
    [dataset, model, module].filter(Boolean).join(' · '),
  );
  return [...new Set(problems)].join(' | ');
}
