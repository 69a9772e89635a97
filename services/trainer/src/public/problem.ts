/** For problems of your own (`--problem-dir`): the trainer's tfjs and zod, of which there may be one each. */

export * as tf from '@tensorflow/tfjs-core';
export { z } from 'zod';
export {
  type BuildContext,
  type BuiltProblem,
  defineProblem,
  type HyperparameterDefinition,
  type ProblemDefinition,
  type Tensors,
  type TrainingData,
} from '../problem/define.ts';
