/**
 * Reverse gradients of kernels that tfjs has none of, so that models with `tf.einsum`, `tf.gatherND`, `tf.scatterND` and
 * `tf.depthToSpace` can be trained.
 */

import * as tf from '@tensorflow/tfjs-core';

/** A factor of an einsum with the indices of its axes. */
interface Factor {
  readonly indices: string;
  readonly tensor: tf.Tensor;
}

/** The gradient of each factor is the product of the others with dy, over the indices that the factor lacks. */
const einsum: tf.GradFunc = (dy, saved, attributes) => {
  const [operands = '', result = ''] = (attributes.equation as string).replace(/\s/g, '').split('->');
  const terms = operands.split(',');
  const factors = (saved as tf.Tensor[]).map((tensor, i): Factor => ({ tensor, indices: terms[i] ?? '' }));
  const gradientOf = (own: Factor, i: number) => (): tf.Tensor => {
    const others = [{ indices: result, tensor: dy as tf.Tensor }, ...factors.filter((_, j) => j !== i)];
    const reduced = others.map((factor, j) =>
      summedOver(factor, [own, ...others.filter((_, k) => k !== j)].map(({ indices }) => indices).join('')),
    );
    const present = reduced.map(({ indices }) => indices).join('');
    const shared = [...own.indices].filter((index) => present.includes(index));
    const product = tf.einsum(
      `${reduced.map(({ indices }) => indices).join(',')}->${shared.join('')}`,
      ...reduced.map(({ tensor }) => tensor),
    );
    // An index that nothing else has was summed up: its gradient is the same everywhere.
    const { shape } = own.tensor;
    const kept = shape.map((size, axis) => (shared.includes(own.indices[axis] ?? '') ? size : 1));
    return tf.broadcastTo(tf.reshape(product, kept), shape);
  };
  return Object.fromEntries(factors.map((own, i) => [i, gradientOf(own, i)]));
};

/** The factor without the axes whose indices are not among `needed`. */
function summedOver({ indices, tensor }: Factor, needed: string): Factor {
  const axes = [...indices].flatMap((index, axis) => (needed.includes(index) ? [] : [axis]));
  if (axes.length === 0) return { indices, tensor };
  return {
    indices: [...indices].filter((index) => needed.includes(index)).join(''),
    tensor: tf.sum(tensor, axes),
  };
}

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
