/** A network that has learned something else: what a user brings to fine-tune. */

import { labelsOf, loadDataset, toFloat32 } from '@glocal/trainer/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { smallConvnet } from './networks.ts';

/**
 * The small convolutional network after some epochs of Adam on a data set; the same on the same machine each time.
 * @param examples from the beginning of its training part.
 */
export async function pretrained(
  dataset: string,
  { examples, epochs, note }: { examples: number; epochs: number; note: (text: string) => void },
): Promise<LayersModel> {
  const network = await smallConvnet(note);
  const { train } = await loadDataset(dataset, { log: note });
  const indices = Array.from({ length: Math.min(examples, train.count) }, (_, i) => i);
  const x = tf.tensor(toFloat32(train, indices), [indices.length, ...train.shape]);
  const y = tf.tidy(() =>
    tf.cast(tf.oneHot(tf.tensor1d(labelsOf(train, indices), 'int32'), train.classes), 'float32'),
  );
  network.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const { history } = await network.fit(x, y, { epochs, batchSize: 128, shuffle: false, verbose: 0 });
  tf.dispose([x, y]);
  const accuracy = history.acc?.at(-1);
  note(
    `trained on ${dataset}: ${typeof accuracy === 'number' ? (100 * accuracy).toFixed(1) : '?'} % of its training examples`,
  );
  return network;
}
