/** A user's model.json, trained on one data set, fine-tuned on another: a rate for each layer, learned, against one for all. */

import { fixed } from '@glocal/sdk';
import type { Task } from '../arms.ts';
import type { Experiment, Planned, Size } from '../experiment.ts';
import { upload } from './networks.ts';
import { GRIDS } from './per-layer.ts';
import { pretrained } from './pretrain.ts';
import { LEARNED_DECAY, LEARNED_RATE, vectorRows } from './vectors.ts';

const FROM = 'mnist';
const EPOCHS: Readonly<Record<Size, number>> = { full: 3, quick: 1 };
const EXAMPLES: Readonly<Record<Size, number>> = { full: 60_000, quick: 10_000 };
const STEPS: Readonly<Record<Size, number>> = { full: 1_000, quick: 300 };
const STARTS: Readonly<Record<Size, readonly number[]>> = { full: [0.001, 0.01, 0.1], quick: [0.01] };

/** @param model `artifacts/{artifact}` of the network. */
export function fineTuneArms(model: string, size: Size): Planned[] {
  const task: Task = {
    table: `fashion-mnist-10k, a network trained on ${FROM}, ${STEPS[size]} steps`,
    problem: { dataset: 'fashion-mnist-10k', model },
    steps: STEPS[size],
  };
  const learned = { lr: LEARNED_RATE(STARTS[size]), weightDecay: LEARNED_DECAY };
  return vectorRows({ task, learned, others: { momentum: fixed(0.1) }, grids: GRIDS[size] });
}

export const fineTune: Experiment = {
  description: 'a model.json that was trained on MNIST, fine-tuned on a sixth of Fashion-MNIST',
  seeds: { full: 3, quick: 1 },
  datasets: { full: [FROM] },
  shortened: [
    '300 inner steps in place of 1,000, a model that saw 10,000 images of MNIST once in place of 60,000 three times, one start in ' +
      'place of three, grids of one, one seed in place of three.',
  ],
  arms: async (lab) => {
    const { size, note } = lab;
    const network = await pretrained(FROM, { examples: EXAMPLES[size], epochs: EPOCHS[size], note });
    return fineTuneArms(await upload(lab, network, 'trained-on-mnist'), size);
  },
};
