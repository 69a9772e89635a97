/** Pictures of studies: what a server knows of them, made into points, and drawn by `charts.ts`. */

import type { OuterStep, Schedule, Study } from '@glocal/sdk';
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
import { parametersOf } from './parameters.ts';
import type { Picture } from './pictures.ts';
import { counted, isVector, meanOf, spanOf } from './words.ts';

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
  const losses: TrajectoryPoint[] = [];
  for (const [i, study] of studies.entries()) {
    const run = titles[i] ?? '';
    const schedule = await study.schedule({ trial });
    // The first is where it starts; a picture of that alone says nothing.
    if (schedule.points.length > 1) points.push(...valuePoints(run, schedule));
    const counts = countingLoss(study);
    const all = lossPoints(run, await outerSteps(study, trial));
    losses.push(...all.filter(({ quantity }) => quantity === counts));
  }
  if (points.length + losses.length === 0) throw nothingYet(studies);
  const quantities = [...new Set(points.map(({ quantity }) => quantity))].map(
    (name): Quantity => ({
      name,
      title: points.some(({ quantity, line }) => quantity === name && line !== undefined)
        ? `${name}: smallest, mean, largest`
        : name,
      scale: isLogarithmic(name, studies, points) ? 'log' : 'linear',
      interpolate: 'step-after',
    }),
  );
  return trajectoryChart(
    'Hyperparameters while training',
    subtitleOf(studies),
    titles,
    [...quantities, ...LOSSES.filter(({ name }) => losses.some(({ quantity }) => quantity === name))],
    [...points, ...losses],
  );
}

/** Values of a vector that have a panel each; of more of them the smallest, the mean and the largest are drawn. */
const MOST_PANELS = 12;

/** Values by their steps: of vectors, only those that change. What is not finite is left out. */
export function valuePoints(
  run: string,
  { columns, points }: Pick<Schedule, 'columns' | 'points'>,
): TrajectoryPoint[] {
  const first = points[0]?.values as Readonly<Record<string, unknown>>;
  const changes = (name: string): boolean =>
    points.some(({ values }) => {
      const { [name]: value } = values as Readonly<Record<string, unknown>>;
      return isVector(value) && value.some((entry, i) => entry !== (first[name] as readonly number[])[i]);
    });
  const changing = new Set(Object.keys(first).filter(changes));
  return points
    .flatMap(({ step, values }) =>
      Object.entries(values as Readonly<Record<string, unknown>>).flatMap(([name, value]) => {
        if (typeof value === 'number') return [{ run, step, quantity: name, value }];
        if (!isVector(value) || !changing.has(name)) return [];
        if (value.length > MOST_PANELS) return linesOf({ run, step, quantity: name }, value);
        const named = columns.filter((column) => column.startsWith(`${name}/`));
        return value.map((entry, i) => ({ run, step, quantity: named[i] ?? name, value: entry }));
      }),
    )
    .filter(({ value }) => Number.isFinite(value));
}

function linesOf(of: Omit<TrajectoryPoint, 'value'>, vector: readonly number[]): TrajectoryPoint[] {
  const { smallest, largest } = spanOf(vector);
  return [
    { ...of, line: 'smallest', value: smallest },
    { ...of, line: 'mean', value: meanOf(vector) },
    { ...of, line: 'largest', value: largest },
  ];
}

const nothingYet = (studies: readonly Study[]): CommandError =>
  new CommandError(
    `there is nothing to draw yet: no outer step of ${studies.map(({ name }) => name).join(', ')} is done`,
    FAILED,
  );

async function drawLosses(studies: readonly Study[], trial: TrialName): Promise<string> {
  const titles = titlesOf(studies);
  const points: TrajectoryPoint[] = [];
  for (const [i, study] of studies.entries()) {
    points.push(...lossPoints(titles[i] ?? '', await outerSteps(study, trial)));
  }
  if (points.length === 0) throw nothingYet(studies);
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
  const subtitle = `${subtitleOf([study])} · ${counted(windows.length, 'window')}${left > 0 ? ` · ${counted(left, 'component')} not shown` : ''}`;
  return hypergradientChart('Local and glocal hypergradients', subtitle, shown, points);
}

async function drawSpectrum(study: Study, trial: TrialName): Promise<string> {
  const steps = await outerSteps(study, trial);
  const windows = steps.filter(({ report }) => report !== undefined);
  if (windows.length === 0) {
    throw new CommandError(`${study.name} has no spectrum: no window of it was decomposed`, FAILED);
  }
  const subtitle = `${subtitleOf([study])} · ${counted(windows.length, 'window')} · steady inside the dashed disc around 1`;
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
    studies.some(({ space: { parameters } }) =>
      parametersOf(parameters).some(
        ([of, parameter]) => of === name.split('/')[0] && 'scale' in parameter && parameter.scale === 'log',
      ),
    )
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
