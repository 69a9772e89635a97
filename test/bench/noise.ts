/** Examples to measure with: noise, since what the numbers are does not change the time. */

import type { Examples, Model } from '@glocal/trainer/engine';
import * as tf from '@tensorflow/tfjs-core';

/** As many examples of the model's shape, with labels, to be released by the caller. */
export const noise = ({ inputShape, classes }: Model, count: number): Examples => ({
  x: tf.randomUniform([count, ...inputShape], 0, 1, 'float32', 'images'),
  labels: tf.randomUniform<tf.Rank.R1>([count], 0, classes, 'int32', 'labels'),
});

export function release(...all: readonly Examples[]): void {
  for (const { x, labels } of all) tf.dispose([x, labels]);
}
