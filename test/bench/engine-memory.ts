/** Program: prints the largest resident memory in MB of a process that trains LeNet with hypergradients. */

import { peakMemory } from './engine.ts';

console.log(await peakMemory());
