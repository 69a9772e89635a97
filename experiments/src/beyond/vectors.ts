/** Hyperparameters with one value for each layer, and with one for all: the same runs otherwise. */

import { float, type Method, type Parameter, vector } from '@glocal/sdk';
import { armOf, spaceOf, type Task } from '../arms.ts';
import { type ControlGrids, controls } from '../controls.ts';
import type { Planned } from '../experiment.ts';

export interface Learned {
  readonly min: number;
  readonly max: number;
  readonly init: number | readonly number[];
  readonly scale: 'log' | 'logit';
}

export const LEARNED_RATE = (starts: readonly number[]): Learned => ({
  min: 1e-5,
  max: 10,
  scale: 'log',
  init: starts,
});
export const LEARNED_DECAY: Learned = { min: 1e-6, max: 0.1, scale: 'log', init: 1e-3 };

export interface VectorRows {
  readonly task: Task;
  /** What there is one of for each layer, and for all. */
  readonly learned: Readonly<Record<string, Learned>>;
  /** What else the space has. */
  readonly others?: Readonly<Record<string, Parameter>>;
  readonly grids: ControlGrids;
}

/** By layer and for all, each with GLOCAL and LOCAL, and the controls. */
export function vectorRows({ task, learned, others = {}, grids }: VectorRows): Planned[] {
  const map = (make: (options: Learned) => Parameter) =>
    Object.fromEntries(Object.entries(learned).map(([name, options]) => [name, make(options)]));
  const byLayer = map((options) => vector({ ...options, per: 'layer' }));
  const forAll = map((options) => float(options));
  const row = (title: string, parameters: Readonly<Record<string, Parameter>>, method: Method) =>
    armOf(task, {
      ...{ title, method, readout: 'averaged', optimizer: 'sgd' },
      space: spaceOf({ ...parameters, ...others }),
    });
  return [
    row('GLOCAL, one for all', forAll, { estimator: 'glocal' }),
    row('LOCAL, one for each layer', byLayer, { estimator: 'local' }),
    row('GLOCAL, one for each layer', byLayer, { estimator: 'glocal' }),
    ...controls(task, grids),
  ];
}
