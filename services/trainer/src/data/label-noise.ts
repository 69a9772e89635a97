/** Wrong labels to train on: of some examples, chosen at random, the class is another one (symmetric noise). */

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { Indices, LabelledExamples } from './examples.ts';
import { randomStream, sampled } from './random.ts';

export interface LabelNoiseOptions {
  /** Share of the examples whose class is replaced, 0 to 1. */
  readonly share: number;
  /** The same seed replaces the same classes. */
  readonly seed: number;
}

/**
 * The examples with other classes at round(share × number) of the indices, each of the other classes equally likely. The examples
 * at other indices keep theirs, as do all where there is one class only.
 * @throws RangeError for a share that is not from 0 to 1.
 */
export function withLabelNoise(
  examples: LabelledExamples,
  indices: Indices,
  { share, seed }: LabelNoiseOptions,
): LabelledExamples {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`a share is a number from 0 to 1, not ${share}`);
  if (examples.classes < 2) return examples;
  const labels = examples.labels.slice();
  const random = randomStream(seed, 'label noise');
  for (const index of sampled(indices, Math.round(share * indices.length), random)) {
    const others = uniformInt(random, 1, examples.classes - 1);
    labels[index] = ((labels[index] as number) + others) % examples.classes;
  }
  return { ...examples, labels };
}
