/** Program: prints the largest resident memory in MB of a process that trains a network with hypergradients. */

import { trainLenet } from './engine.ts';
import type { Trained } from './memory.ts';
import { trainWideResnet } from './wide-resnet.ts';

const TRAIN: Readonly<Record<Trained, () => Promise<void>>> = {
  lenet: trainLenet,
  'wide-resnet': trainWideResnet,
};

await TRAIN[process.argv[2] as Trained]();
console.log((process.resourceUsage().maxRSS * 1024) / 1e6);
