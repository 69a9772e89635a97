/** Program: exits with 0 when backend `tensorflow` loads and differentiates a convolution, and prints what has computed; says why not in one line. */

import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from './errors.ts';
import { initBackend } from './select.ts';

try {
  const { description } = await initBackend({ backend: 'tensorflow', log: () => {} });
  const x = tf.ones<tf.Rank.R4>([1, 4, 4, 1]);
  const gradient = tf.grad((filter) => tf.sum(tf.conv2d(x, filter as tf.Tensor4D, 1, 'valid')))(
    tf.zeros([3, 3, 1, 1]),
  );
  const found = [...gradient.dataSync()];
  // Each of the nine weights meets the four output positions once.
  if (found.some((value) => value !== 4)) throw new Error(`wrong gradient of a convolution: ${found}`);
  process.stdout.write(`${description}\n`);
} catch (error) {
  // What lies behind a BackendError, which also says what to do: here that is told by who asked.
  const reason = error instanceof BackendError && error.cause !== undefined ? error.cause : error;
  const message = reason instanceof Error ? reason.message : String(reason);
  process.stderr.write(`${message.replaceAll('\n', ' ')}\n`);
  process.exitCode = 1;
}
