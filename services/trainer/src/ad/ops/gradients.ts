/**
 * Reverse gradients of kernels that tfjs has none of, so that models with `tf.einsum`, `tf.gatherND`, `tf.scatterND` and
 * `tf.depthToSpace` can be trained.
 */

import * as tf from '@tensorflow/tfjs-core';

/** The gradient of each factor is the product of the others with dy, over the indices that the factor lacks. */
const einsum: tf.GradFunc = (dy, saved, attributes) => {
  const factors = saved as tf.Tensor[];
  const [operands = '', result = ''] = (attributes.equation as string).replace(/\s/g, '').split('->');
  const terms = operands.split(',');
  const gradientOf = (i: number) => (): tf.Tensor => {
    const own = terms[i] ?? '';
    const others = terms.filter((_, j) => j !== i);
    const shape = factors[i]?.shape ?? [];
    // An index that nothing else has was summed up: its gradient is the same everywhere.
    const shared = [...own].filter((index) => [result, ...others].some((term) => term.includes(index)));
    const product = tf.einsum(
      `${[result, ...others].join(',')}->${shared.join('')}`,
      dy as tf.Tensor,
      ...factors.filter((_, j) => j !== i),
    );
    const kept = shape.map((size, axis) => (shared.includes(own[axis] ?? '') ? size : 1));
    return tf.broadcastTo(tf.reshape(product, kept), shape);
  };
  return Object.fromEntries(factors.map((_, i) => [i, gradientOf(i)]));
};

/** Makes the gradients known; those that are known are left. */
export function registerGradients(): void {
  const gradients: tf.GradConfig[] = [
    { kernelName: 'Einsum', saveAllInputs: true, gradFunc: einsum },
    {
      kernelName: 'GatherNd',
      inputsToSave: ['params', 'indices'],
      gradFunc: (dy, saved) => {
        const [params, indices] = saved as [tf.Tensor, tf.Tensor];
        return {
          params: () => tf.scatterND(indices, dy as tf.Tensor, params.shape),
          indices: () => tf.zerosLike(indices),
        };
      },
    },
    {
      kernelName: 'ScatterNd',
      inputsToSave: ['indices'],
      gradFunc: (dy, saved) => {
        const [indices] = saved as [tf.Tensor];
        return { updates: () => tf.gatherND(dy as tf.Tensor, indices), indices: () => tf.zerosLike(indices) };
      },
    },
    {
      kernelName: 'DepthToSpace',
      gradFunc: (dy, _saved, attributes) => ({
        x: () => spaceToDepth(dy as tf.Tensor4D, attributes.blockSize as number),
      }),
    },
  ];
  for (const gradient of gradients) {
    if (tf.getGradient(gradient.kernelName) === undefined) tf.registerGradient(gradient);
  }
}

/** The inverse of `tf.depthToSpace`, for channels in the last axis. */
function spaceToDepth(image: tf.Tensor4D, block: number): tf.Tensor4D {
  const [batch, height, width, channels] = image.shape;
  const [rows, columns] = [height / block, width / block];
  const blocks = tf.reshape(image, [batch, rows, block, columns, block, channels]);
  return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4, 5]), [
    batch,
    rows,
    columns,
    block * block * channels,
  ]);
}

registerGradients();
