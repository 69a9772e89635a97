import { fixed } from '@glocal/sdk';
import { expect, it } from 'vitest';
import type { Task } from './arms.ts';
import { controls } from './controls.ts';
import { isArm } from './experiment.ts';
import { specOf } from './run.ts';

const task: Task = { table: 'table', problem: { dataset: 'mnist', model: 'lenet' }, steps: 100 };
const grids = { constant: [0.1], peaks: [0.2], scheduleFree: [0.5] };

it('are one training where only the weights that are read out differ', () => {
  const specs = controls(task, grids)
    .filter(isArm)
    .map((arm) => JSON.stringify(specOf(arm, 1)));
  expect(specs).toHaveLength(7);
  expect(new Set(specs).size).toBe(6);
});

it('have no row for an empty grid, and what is given besides in every one', () => {
  const besides = { title: ', smoothed', parameters: { labelSmoothing: fixed(0.3) } };
  const arms = controls(task, { ...grids, constant: [], asPublished: [] }, besides).filter(isArm);
  expect(arms.map(({ title }) => title)).toEqual([
    'SGD, cosine, smoothed',
    'Schedule-Free SGD, constant, smoothed',
    'Prodigy, cosine, smoothed',
  ]);
  for (const { spec } of arms) expect(spec.space.parameters).toMatchObject(besides.parameters);
});
