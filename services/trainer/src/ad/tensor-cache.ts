/** Tensors that several rules compute from the same input, kept for one differentiation. */

import * as tf from '@tensorflow/tfjs-core';

export class TensorCache {
  readonly #byData = new Map<object, Map<string, tf.Tensor>>();

  /** The tensor that `make` computes from `source`; computed once for each source and key, and owned by the cache. */
  get(source: tf.Tensor, key: string, make: () => tf.Tensor): tf.Tensor {
    let bySource = this.#byData.get(source.dataId);
    if (bySource === undefined) {
      bySource = new Map();
      this.#byData.set(source.dataId, bySource);
    }
    let tensor = bySource.get(key);
    if (tensor === undefined) {
      tensor = tf.keep(make());
      bySource.set(key, tensor);
    }
    return tensor;
  }

  clear(): void {
    for (const bySource of this.#byData.values()) for (const tensor of bySource.values()) tensor.dispose();
    this.#byData.clear();
  }
}
