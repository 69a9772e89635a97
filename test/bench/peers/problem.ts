/** What is computed side by side: LeNet on noise with SGD, written to a folder that every program of the comparison reads. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initBackend } from '@glocal/trainer/backend';
import { lenet as lenets } from '@glocal/trainer/engine';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Rounds } from '../timing.ts';

export const lenet = lenets.build(lenets.typical);

const EXAMPLES = { batch: 128, validation: 1000 } as const;
export type Examples = keyof typeof EXAMPLES;

/** The file `problem.json`; the arrays lie beside it, as little-endian binary32 and int32. */
export interface Problem {
  /** Of each tensor of weights; `weights` has them one after the other. */
  readonly shapes: readonly (readonly number[])[];
  /** Height, width, channels of `batch-images` and `validation-images`; `…-labels` are their classes. */
  readonly image: readonly number[];
  /** Of the leaky ReLU below 0. */
  readonly slope: number;
  /** Learning rate, momentum, weight decay. */
  readonly values: readonly number[];
  /** dvalue/dφ of each. */
  readonly slopes: readonly number[];
  /** Steps before the numbers that all must agree on. */
  readonly checkSteps: number;
  readonly rounds: Rounds;
}

const PROBLEM: Problem = {
  shapes: lenet.parameters.map(({ shape }) => shape),
  image: lenet.inputShape,
  slope: 0.01,
  values: [0.05, 0.5, 5e-4],
  slopes: [0.0475, 0.25, 5e-4],
  checkSteps: 5,
  rounds: { warmUp: 3, measured: 12 },
};

export async function writeProblem(folder: string): Promise<void> {
  // The seed gives the same weights on every backend.
  await initBackend({ backend: 'cpu', log: console.error });
  const random = xoroshiro128plus(0);
  const write = (name: string, numbers: Float32Array | Int32Array) =>
    writeFileSync(join(folder, name), numbers);
  writeFileSync(join(folder, 'problem.json'), JSON.stringify(PROBLEM));
  write('weights', lenet.initialise(0));
  const pixels = lenet.inputShape.reduce((a, b) => a * b);
  for (const [name, count] of Object.entries(EXAMPLES)) {
    const images = Float32Array.from({ length: count * pixels }, () => uniformInt(random, 0, 255) / 255);
    const labels = Int32Array.from({ length: count }, () => uniformInt(random, 0, lenet.classes - 1));
    write(`${name}-images`, images);
    write(`${name}-labels`, labels);
  }
}

export interface ReadProblem extends Problem {
  readonly weights: Float32Array;
  images(name: Examples): Float32Array;
  labels(name: Examples): Int32Array;
}

export function readProblem(folder: string): ReadProblem {
  const bytes = (name: string): ArrayBuffer => new Uint8Array(readFileSync(join(folder, name))).buffer;
  return {
    ...(JSON.parse(readFileSync(join(folder, 'problem.json'), 'utf8')) as Problem),
    weights: new Float32Array(bytes('weights')),
    images: (name) => new Float32Array(bytes(`${name}-images`)),
    labels: (name) => new Int32Array(bytes(`${name}-labels`)),
  };
}
