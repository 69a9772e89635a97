/** The experiments that there are. */

import { estimatorsCompared } from './beyond/estimators.ts';
import { fineTune } from './beyond/fine-tune.ts';
import { imbalanceFashionMnist } from './beyond/imbalance.ts';
import { labelNoiseFashionMnist } from './beyond/label-noise.ts';
import { perLayer } from './beyond/per-layer.ts';
import { table } from './beyond/table.ts';
import { defaults, defaultsChoice, defaultsLength, defaultsShort, defaultsWide } from './defaults.ts';
import type { Experiment } from './experiment.ts';
import { heldPhi } from './held-phi/experiment.ts';
import { globalBaseline } from './paper/global-baseline.ts';
import {
  reweightingCifar10By50,
  reweightingCifar10By100,
  reweightingCifar100By50,
} from './paper/reweighting.ts';
import { runtime } from './paper/runtime.ts';
import {
  schedulesCifar10,
  schedulesCifar100,
  schedulesFashionMnist,
  schedulesKmnist,
  schedulesMnist,
} from './paper/schedules.ts';
import { sigmaDelay } from './paper/sigma-delay.ts';
import { spectrum } from './paper/spectrum.ts';
import { timeToAccuracy } from './time-to-accuracy/experiment.ts';

export const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  'schedules-mnist': schedulesMnist,
  'schedules-fashion-mnist': schedulesFashionMnist,
  'schedules-kmnist': schedulesKmnist,
  'schedules-cifar10': schedulesCifar10,
  'schedules-cifar100': schedulesCifar100,
  'reweighting-cifar10-50': reweightingCifar10By50,
  'reweighting-cifar10-100': reweightingCifar10By100,
  'reweighting-cifar100-50': reweightingCifar100By50,
  spectrum,
  'sigma-delay': sigmaDelay,
  runtime,
  'global-baseline': globalBaseline,
  'imbalance-fashion-mnist-100': imbalanceFashionMnist,
  'label-noise-fashion-mnist': labelNoiseFashionMnist,
  'per-layer': perLayer,
  'fine-tune': fineTune,
  table,
  'held-phi': heldPhi,
  estimators: estimatorsCompared,
  'time-to-accuracy': timeToAccuracy,
  defaults,
  'defaults-wide': defaultsWide,
  'defaults-short': defaultsShort,
  'defaults-length': defaultsLength,
  'defaults-choice': defaultsChoice,
};
