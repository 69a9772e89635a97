/** Program: exits with 0 when backend `tensorflow` loads and differentiates a convolution; says why not in one line. */

import * as tf from '@tensorflow/tfjs-core';
import { initBackend } from './select.ts';

try {
  await initBackend({ backend: 'tensorflow', log: () => {} });
  const x = tf.ones<tf.Rank.R4>([1, 4, 4, 1]);
  const gradient = tf.grad((filter) => tf.sum(tf.conv2d(x, filter as tf.Tensor4D, 1, 'valid')))(
    tf.zeros([3, 3, 1, 1]),
  );
  const found = [...gradient.dataSync()];
  // Each of the nine weights meets the four output positions once.
  if (found.some((value) => value !== 4)) throw new Error(`wrong gradient of a convolution: ${found}`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
