/** Class weights for imbalanced classes: learned, against those that are made of the classes' sizes. */

import { fixed, float, type Method, network, type ParameterMap, type Space, vector } from '@glocal/sdk';
import { armOf, held, spaceOf, type Task } from '../arms.ts';
import type { Arm, Experiment, Size } from '../experiment.ts';
import { classSizes, effectiveNumber, inverseFrequency } from './classes.ts';

const FACTOR = 100;
const CLASSES = 10;
/** Of 60,000 without the tenth for validation. */
const LARGEST = 5_400;

const STEPS: Readonly<Record<Size, number>> = { full: 2_000, quick: 200 };
const RATES: Readonly<Record<Size, readonly number[]>> = { full: [0.05, 0.1, 0.2], quick: [0.1] };

const sgd = (starts: readonly number[]) => ({
  lr: float({ min: 1e-5, max: 10, scale: 'log', init: starts }),
  momentum: float({ min: 0, max: 1, init: 0.1 }),
  weightDecay: float({ min: 0, max: 1, init: 1e-3 }),
});
const still = { momentum: fixed(0.1), weightDecay: fixed(1e-3) };

/** Where weights may go: a hundred times up or down. */
const LEARNED = vector({ min: 0.01, max: 100, scale: 'log', init: 1, per: 'class' });

function arms(size: Size): Arm[] {
  const steps = STEPS[size];
  const task: Task = {
    table: `fashion-mnist, imbalance ${FACTOR}, lenet, ${steps} steps`,
    problem: { dataset: 'fashion-mnist', model: 'lenet', imbalanceFactor: FACTOR },
    steps,
  };
  const rates = RATES[size];
  const arm = (title: string, parameters: ParameterMap, method: Method, grid = false): Arm =>
    armOf(task, {
      ...{ title, method, readout: 'averaged', optimizer: 'sgd', grid },
      space: spaceOf(parameters) as Space<ParameterMap>,
    });
  const sizes = classSizes(LARGEST, CLASSES, FACTOR);
  const known: readonly (readonly [string, number[]])[] = [
    ['inverse frequency', inverseFrequency(sizes)],
    ['root of the inverse frequency', inverseFrequency(sizes, 0.5)],
    ['effective number, β .999', effectiveNumber(sizes, 0.999)],
    ['effective number, β .9999', effectiveNumber(sizes, 0.9999)],
  ];
  const glocal: Method = { estimator: 'glocal' };
  const local: Method = { estimator: 'local' };
  return [
    arm('FIXED, no weights', sgd(rates), held(task), true),
    ...known.map(([name, weights]) =>
      arm(
        `FIXED, ${name}`,
        { ...sgd(rates), classWeights: fixed(weights, { per: 'class' }) },
        held(task),
        true,
      ),
    ),
    arm('GLOCAL, rate, momentum and decay', sgd(rates), glocal),
    arm('LOCAL, class weights', { ...sgd(rates), classWeights: LEARNED }, local),
    arm('GLOCAL, class weights', { ...sgd(rates), classWeights: LEARNED }, glocal),
    ...(size === 'full'
      ? [
          arm('GLOCAL, reweighting network', { ...rate(rates), ...still, reweighting: network() }, glocal),
          arm('GLOCAL, rate and class weights', { ...rate(rates), ...still, classWeights: LEARNED }, glocal),
        ]
      : []),
  ];
}

const rate = (starts: readonly number[]) => ({ lr: sgd(starts).lr });

export const imbalanceFashionMnist: Experiment = {
  description: 'class weights for imbalanced classes, learned and made of their sizes',
  seeds: { full: 3, quick: 1 },
  datasets: ['fashion-mnist'],
  shortened: [
    '200 inner steps in place of 2,000, one rate in place of three, one seed in place of three, and no reweighting network.',
  ],
  arms: ({ size }) => arms(size),
};
