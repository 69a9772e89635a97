/**
 * Class weights for imbalanced classes: learned, against those that are made of the classes' sizes, at constant rates and with the usual
 * schedules.
 */

import { fixed, float, type Method, network, type Parameter, type ParameterMap, vector } from '@glocal/sdk';
import { armOf, type Besides, held, learnedRate, spaceOf, startingFrom, type Task } from '../arms.ts';
import { type ControlGrids, controls } from '../controls.ts';
import type { Arm, Experiment, Planned, Size } from '../experiment.ts';
import { classSizes, effectiveNumber, inverseFrequency } from './classes.ts';

const FACTOR = 100;
const CLASSES = 10;
/** Of 60,000 without the tenth for validation. */
const LARGEST = 5_400;

interface Form {
  readonly steps: number;
  /** Constant rates that each of the known weights is tried at. */
  readonly rates: readonly number[];
  /** Rates that tuned runs start from. */
  readonly starts: readonly number[];
  /** The same of the default of studies. */
  readonly defaultStarts: readonly number[];
  /** Of the usual schedules, with those of the known weights that were best at constant rates, and without any. */
  readonly controls: { readonly weighted: ControlGrids; readonly plain: ControlGrids };
  readonly network: boolean;
}

const FORMS: Readonly<Record<Size, Form>> = {
  full: {
    ...{ steps: 2_000, rates: [0.1, 0.2, 0.4], starts: [0.1], defaultStarts: [0.01, 0.1], network: true },
    controls: {
      weighted: {
        constant: [],
        cooldown: [0.2],
        peaks: [0.2, 0.4],
        scheduleFree: [0.5],
        asPublished: [],
        rangeTest: true,
      },
      plain: { constant: [], peaks: [], scheduleFree: [0.5], asPublished: [], prodigy: false },
    },
  },
  quick: {
    ...{ steps: 200, rates: [0.1], starts: [0.1], defaultStarts: [0.1], network: false },
    controls: {
      weighted: { constant: [], peaks: [0.2], scheduleFree: [0.5], asPublished: [] },
      plain: { constant: [], peaks: [0.2], scheduleFree: [], prodigy: false },
    },
  },
};

const SIZES = classSizes(LARGEST, CLASSES, FACTOR);
const INVERSE = inverseFrequency(SIZES);
const KNOWN: readonly (readonly [string, number[]])[] = [
  ['inverse frequency', INVERSE],
  ['root of the inverse frequency', inverseFrequency(SIZES, 0.5)],
  ['effective number, β .999', effectiveNumber(SIZES, 0.999)],
];

const sgd = (starts: readonly number[]) => ({
  lr: learnedRate(starts),
  momentum: float({ min: 0, max: 1, init: 0.1 }),
  weightDecay: float({ min: 0, max: 1, init: 1e-3 }),
});
const still = { momentum: fixed(0.1), weightDecay: fixed(1e-3) };

const known = (weights: readonly number[]): Parameter => fixed([...weights], { per: 'class' });
const BESIDES: Besides = {
  title: ', inverse frequency',
  parameters: { classWeights: known(INVERSE) },
};
/** Where weights may go: a hundred times up or down. */
const LEARNED = vector({ min: 0.01, max: 100, scale: 'log', init: 1, per: 'class' });

/**
 * Windows spread over the training, as the default has had them since: before, it had them in a row at its beginning, where rates are found,
 * and where what the classes need cannot be seen yet.
 */
const SPREAD: Omit<Method, 'estimator'> = {
  ...{ overhead: 1.5, window: 25, warmupWindows: 1 },
  outer: { rate: 0.3 },
};

function taskOf(size: Size): Task {
  const { steps } = FORMS[size];
  const problem = { dataset: 'fashion-mnist', model: 'lenet', imbalanceFactor: FACTOR };
  return { table: `fashion-mnist, imbalance ${FACTOR}, lenet, ${steps} steps`, problem, steps };
}

function arms(size: Size): Planned[] {
  const { rates, starts, defaultStarts, controls: grids, network: hasNetwork } = FORMS[size];
  const task = taskOf(size);
  const arm = (title: string, parameters: ParameterMap, method: Method): Arm =>
    armOf(task, {
      ...{ title, method, readout: 'averaged', optimizer: 'sgd' },
      space: spaceOf(parameters),
    });
  // A study for each rate, so that a grid can grow without training again what it had.
  const constant = (title: string, weights?: readonly number[]): Arm[] =>
    rates.map((start) =>
      armOf(task, {
        ...{ title, start, grid: true, readout: 'averaged', optimizer: 'sgd', method: held(task) },
        space: spaceOf({ ...sgd([start]), ...(weights && { classWeights: known(weights) }) }),
      }),
    );
  const free = (title: string, method: Method, from: readonly number[]): Arm =>
    armOf(task, {
      ...{ title, readout: 'averaged', method, optimizer: 'schedule-free' },
      space: spaceOf({
        ...startingFrom('schedule-free', from).parameters,
        relativeClassWeights: LEARNED,
      }),
    });
  const glocal: Method = { estimator: 'glocal' };
  const local: Method = { estimator: 'local' };
  return [
    ...constant('FIXED, no weights'),
    ...KNOWN.flatMap(([name, weights]) => constant(`FIXED, ${name}`, weights)),
    arm('GLOCAL, rate, momentum and decay', sgd(starts), glocal),
    arm('LOCAL, class weights', { ...sgd(starts), classWeights: LEARNED }, local),
    arm('GLOCAL, class weights', { ...sgd(starts), classWeights: LEARNED }, glocal),
    arm('LOCAL, relative class weights', { ...sgd(starts), relativeClassWeights: LEARNED }, local),
    arm('GLOCAL, relative class weights', { ...sgd(starts), relativeClassWeights: LEARNED }, glocal),
    ...(['local', 'glocal'] as const).map((estimator) =>
      arm(
        `${estimator.toUpperCase()}, relative class weights, spread windows`,
        { ...sgd(starts), relativeClassWeights: LEARNED },
        { estimator, ...SPREAD },
      ),
    ),
    free('GLOCAL, relative class weights, Schedule-Free SGD', glocal, defaultStarts),
    free(
      'GLOCAL, relative class weights, spread windows, Schedule-Free SGD',
      { estimator: 'glocal', ...SPREAD },
      starts,
    ),
    ...(hasNetwork
      ? [false, true].map((detached) =>
          arm(
            `GLOCAL, reweighting network${detached ? ', detached' : ''}`,
            { lr: learnedRate(starts), ...still, reweighting: network({ detached }) },
            glocal,
          ),
        )
      : []),
    ...controls(task, grids.weighted, BESIDES),
    ...controls(task, grids.plain),
  ];
}

export const imbalanceFashionMnist: Experiment = {
  description: 'class weights for imbalanced classes, learned and made of their sizes',
  seeds: { full: 3, quick: 1 },
  datasets: { full: ['fashion-mnist'] },
  shortened: [
    '200 inner steps in place of 2,000, one rate in place of three, one seed in place of three, and no reweighting network.',
  ],
  arms: ({ size }) => arms(size),
};
