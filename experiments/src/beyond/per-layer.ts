/** A rate and a decay for each layer of a small residual network (q = 16), against the best that one for all can be. */

import { fixed } from '@glocal/sdk';
import type { Task } from '../arms.ts';
import type { ControlGrids } from '../controls.ts';
import type { Experiment, Planned, Size } from '../experiment.ts';
import { smallResnet, upload } from './networks.ts';
import { LEARNED_DECAY, LEARNED_RATE, vectorRows } from './vectors.ts';

const DATASET: Readonly<Record<Size, string>> = { full: 'fashion-mnist', quick: 'fashion-mnist-10k' };
const STEPS: Readonly<Record<Size, number>> = { full: 1_000, quick: 300 };
const STARTS: Readonly<Record<Size, readonly number[]>> = { full: [0.01, 0.1], quick: [0.05] };
export const GRIDS: Readonly<Record<Size, ControlGrids>> = {
  full: {
    constant: [0.1, 0.2],
    cooldown: [0.2],
    peaks: [0.2, 0.4],
    scheduleFree: [0.5],
    asPublished: [],
    rangeTest: true,
  },
  quick: { constant: [0.1], peaks: [0.2], scheduleFree: [0.5] },
};

/** @param model `artifacts/{artifact}` of the network. */
function perLayerArms(model: string, size: Size): Planned[] {
  const task: Task = {
    table: `${DATASET[size]}, small residual network, ${STEPS[size]} steps`,
    problem: { dataset: DATASET[size], model },
    steps: STEPS[size],
  };
  const learned = { lr: LEARNED_RATE(STARTS[size]), weightDecay: LEARNED_DECAY };
  return vectorRows({ task, learned, others: { momentum: fixed(0.1) }, grids: GRIDS[size] });
}

export const perLayer: Experiment = {
  description: 'a rate and a decay for each layer, against one for all',
  seeds: { full: 3, quick: 1 },
  datasets: { full: ['fashion-mnist'], quick: [] },
  shortened: [
    '300 inner steps in place of 1,000, the 10,000 examples that come with Glocal in place of 60,000, one start in place of two, grids of ' +
      'one, one seed in place of three. In both forms seeds differ in the order of the data and in what is for validation: the network ' +
      'starts as it was uploaded.',
  ],
  arms: async (lab) => perLayerArms(await upload(lab, await smallResnet(lab.note), 'small-resnet'), lab.size),
};
