import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { currentBackend, runKernel } from './engine.ts';
import { type DifferentiationError, MissingRuleError } from './errors.ts';
import { gradJvp, hessianVectorProduct, jvp } from './jvp.ts';
import { leakyRelu, maxPool2x2 } from './ops/layers.ts';
import { softmaxCrossEntropy } from './ops/softmax-cross-entropy.ts';
import { virtualBackend } from './virtual-kernels.ts';

beforeAll(() => tf.setBackend('cpu'));

/** What is held: tensors, buffers, records of the virtual backend. */
const held = () => {
  const { numTensors, numDataBuffers } = tf.memory();
  return { numTensors, numDataBuffers, records: virtualBackend('cpu').numDataIds() };
};

let atStart: ReturnType<typeof held>;
beforeEach(() => {
  tf.engine().startScope();
  atStart = held();
});
afterEach(() => {
  tf.engine().endScope();
  expect(held(), 'nothing is left behind').toEqual(atStart);
  expect(currentBackend()).toBe('cpu');
});

const numbers = (tensor: tf.Tensor | undefined) => [...(tensor?.dataSync() ?? [])];

/** ½ xᵀ A x with A = [[2, 1], [1, 3]], whose Hessian is A. */
const a = () => tf.tensor2d([2, 1, 1, 3], [2, 2]);
const quadratic = ([x]: tf.Tensor[]): tf.Scalar =>
  tf.mul(0.5, tf.sum(tf.mul(x as tf.Tensor, tf.matMul(a(), x as tf.Tensor2D))));

/** A small convolutional network, with the operations of `ops/` or with stock ones. */
function network(ours: boolean) {
  const x = tf.randomUniform<tf.Rank.R4>([3, 8, 8, 1], -1, 1, 'float32', 'x');
  const labels = tf.cast(tf.oneHot(tf.tensor1d([0, 2, 1], 'int32'), 3), 'float32') as tf.Tensor2D;
  const loss = (weights: tf.Tensor[]): tf.Scalar => {
    const [kernel, bias, dense] = weights as [tf.Tensor4D, tf.Tensor1D, tf.Tensor2D];
    const convolved = tf.conv2d(x, kernel, 1, 'valid');
    const pooled = ours ? maxPool2x2(convolved) : tf.maxPool(convolved, 2, 2, 'valid');
    const shifted = tf.add(pooled, bias) as tf.Tensor4D;
    const active = ours ? leakyRelu(shifted, 0.1) : tf.leakyRelu(shifted, 0.1);
    const logits = tf.matMul(tf.reshape(active, [3, -1]), dense) as tf.Tensor2D;
    const losses = ours
      ? softmaxCrossEntropy(logits, labels)
      : tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), -1));
    return tf.mean(losses);
  };
  const weights = [
    tf.randomUniform([3, 3, 1, 2], -1, 1, 'float32', 'k'),
    tf.randomUniform([2], -1, 1, 'float32', 'b'),
    tf.randomUniform([18, 3], -1, 1, 'float32', 'd'),
  ];
  return { loss, weights };
}

describe('gradJvp', () => {
  it('gives value, gradient and their derivatives along each direction', () => {
    const x = tf.tensor2d([1, -2], [2, 1]);
    const directions = tf.tensor3d([1, 0, 0, 1, 0.5, 2], [3, 2, 1]);
    const result = gradJvp(quadratic, [x], [directions]);
    expect(numbers(result.value)).toEqual([5]);
    expect(numbers(result.gradients[0])).toEqual([0, -5]);
    expect(numbers(result.valueTangents)).toEqual([0, -5, -10]);
    expect(result.gradientTangents[0]?.shape).toEqual([3, 2, 1]);
    expect(numbers(result.gradientTangents[0])).toEqual([2, 1, 1, 3, 3, 6.5]);
  });

  it.each([true, false])(
    'agrees with differences of the gradient of a network (operations of ops/: %s)',
    (ours) => {
      const { loss, weights } = network(ours);
      const directions = weights.map(({ shape }, i) =>
        tf.randomUniform([2, ...shape], -1, 1, 'float32', `u${i}`),
      );
      const { gradients, gradientTangents } = gradJvp(loss, weights, directions);
      const gradient = (step: number, k: number) =>
        tf.grads((...tensors: tf.Tensor[]) => loss(tensors))(
          weights.map((w, i) => {
            const direction = tf.slice(directions[i] as tf.Tensor, k, 1);
            return tf.add(w, tf.mul(tf.reshape(direction, w.shape), step));
          }),
        );
      const plain = gradient(0, 0);
      weights.forEach((_, i) => {
        expect(
          tf.max(tf.abs(tf.sub(gradients[i] as tf.Tensor, plain[i] as tf.Tensor))).dataSync()[0],
        ).toBeLessThan(1e-6);
        const differences = tf.stack(
          [0, 1].map((k) =>
            tf.div(tf.sub(gradient(1e-3, k)[i] as tf.Tensor, gradient(-1e-3, k)[i] as tf.Tensor), 2e-3),
          ),
        );
        const error = tf.max(tf.abs(tf.sub(differences, gradientTangents[i] as tf.Tensor)));
        expect(error.dataSync()[0]).toBeLessThan(1e-3);
      });
    },
  );

  it('takes a missing direction as zero', () => {
    const product = ([u, v]: tf.Tensor[]) => tf.sum(tf.mul(u as tf.Tensor, v as tf.Tensor)) as tf.Scalar;
    const { gradientTangents, valueTangents } = gradJvp(
      product,
      [tf.tensor1d([1, 2]), tf.tensor1d([3, 4])],
      [tf.tensor2d([5, 6], [1, 2]), null],
    );
    expect(numbers(valueTangents)).toEqual([39]);
    expect(numbers(gradientTangents[0])).toEqual([0, 0]);
    expect(numbers(gradientTangents[1])).toEqual([5, 6]);
  });

  it('gives mixed second derivatives with further inputs', () => {
    // ∂/∂w (c w²) = 2 c w; along c: 2 w.
    const { gradients, gradientTangents } = gradJvp(
      ([w], [c]) => tf.sum(tf.mul(c as tf.Tensor, tf.square(w as tf.Tensor))) as tf.Scalar,
      [tf.tensor1d([1, 2])],
      [null],
      { values: [tf.scalar(3)], tangents: [tf.tensor1d([1])] },
    );
    expect(numbers(gradients[0])).toEqual([6, 12]);
    expect(numbers(gradientTangents[0])).toEqual([2, 4]);
  });

  it('gives zeros for a parameter that the loss does not use, and for a linear loss', () => {
    const { gradients, gradientTangents } = gradJvp(
      ([u]) => tf.sum(u as tf.Tensor) as tf.Scalar,
      [tf.tensor1d([1, 2]), tf.tensor1d([1])],
      [tf.ones([2, 2]), tf.ones([2, 1])],
    );
    expect(gradients.map(numbers)).toEqual([[1, 1], [0]]);
    expect(gradientTangents.map(numbers)).toEqual([
      [0, 0, 0, 0],
      [0, 0],
    ]);
  });

  it('hands over separate tensors when gradients share their data, or are the caller’s', () => {
    const p = tf.scalar(2);
    const direction = tf.tensor1d([1]);
    const both = gradJvp(
      ([u, v]) => tf.add(u as tf.Tensor, v as tf.Tensor) as tf.Scalar,
      [p, p],
      [direction, direction],
    );
    both.gradients[0]?.dispose();
    expect(numbers(both.gradients[1])).toEqual([1]);
    const same = gradJvp(([u]) => u as tf.Scalar, [p], [direction]);
    same.value.dispose();
    same.valueTangents.dispose();
    expect(numbers(p)).toEqual([2]);
    expect(numbers(direction)).toEqual([1]);
  });

  it('holds nothing but its answer after a thousand calls', () => {
    const { loss, weights } = network(true);
    const directions = weights.map(({ shape }) => tf.ones([3, ...shape]));
    const before = held();
    for (let i = 0; i < 1000; i++) {
      const { value, valueTangents, gradients, gradientTangents } = gradJvp(loss, weights, directions);
      tf.dispose([value, valueTangents, gradients, gradientTangents]);
    }
    expect(held()).toEqual(before);
  });

  it('nests: directions of directions are third derivatives', () => {
    // d²/dx² of 3 x² is 6, and of x³ is 6 x.
    const inner = ([x]: tf.Tensor[]) =>
      gradJvp(([y]) => tf.pow(y as tf.Tensor, 3) as tf.Scalar, [x as tf.Tensor], [tf.tensor1d([1])])
        .gradientTangents[0] as tf.Tensor;
    const { value, tangents } = jvp(inner, [tf.scalar(2)], [tf.tensor1d([1])]);
    expect(numbers(value)[0]).toBeCloseTo(12, 5);
    expect(numbers(tangents)[0]).toBeCloseTo(6, 5);
  });
});

describe('hessianVectorProduct', () => {
  it('multiplies by the Hessian', () => {
    const { value, gradients, products } = hessianVectorProduct(
      quadratic,
      [tf.tensor2d([1, -2], [2, 1])],
      [tf.tensor2d([1, 10], [2, 1])],
    );
    expect(numbers(value)).toEqual([5]);
    expect(numbers(gradients[0])).toEqual([0, -5]);
    expect(products[0]?.shape).toEqual([2, 1]);
    expect(numbers(products[0])).toEqual([12, 31]);
  });
});

describe('jvp', () => {
  it('differentiates a function of any shape forward', () => {
    const { value, tangents } = jvp(
      ([x]) => tf.outerProduct(x as tf.Tensor1D, tf.tensor1d([1, 2])),
      [tf.tensor1d([3, 4])],
      [tf.tensor2d([1, 0, 0, 1], [2, 2])],
    );
    expect(numbers(value)).toEqual([3, 6, 4, 8]);
    expect(tangents.shape).toEqual([2, 2, 2]);
    expect(numbers(tangents)).toEqual([1, 2, 0, 0, 0, 0, 1, 2]);
  });

  it('takes values that the function reads as constants', () => {
    const { tangents } = jvp(
      ([x]) => tf.mul(x as tf.Tensor, (x as tf.Tensor).dataSync()[0] ?? 0),
      [tf.scalar(3)],
      [tf.tensor1d([1])],
    );
    expect(numbers(tangents)).toEqual([3]);
  });

  it('has no derivative through discrete and piecewise constant kernels', () => {
    for (const f of [tf.sign, tf.step, tf.floor, tf.round, tf.zerosLike] as ((x: tf.Tensor) => tf.Tensor)[]) {
      const { tangents } = jvp(([x]) => f(x as tf.Tensor), [tf.tensor1d([0.3, -0.7])], [tf.ones([1, 2])]);
      expect(numbers(tangents)).toEqual([0, 0]);
    }
  });
});

describe('what cannot be differentiated', () => {
  beforeAll(() => {
    tf.registerKernel({
      kernelName: 'Unheard',
      backendName: 'cpu',
      kernelFunc: ({ inputs }) => runKernel('Identity', { x: inputs.x as tf.Tensor }),
    });
  });

  const x = () => tf.tensor1d([1, 2]);
  const u = () => tf.ones([1, 2]);
  const sum = ([p]: tf.Tensor[]) => tf.sum(p as tf.Tensor) as tf.Scalar;

  it.each<[string, DifferentiationError['reason'], () => unknown]>([
    ['a loss that is not a scalar', 'LOSS_NOT_SCALAR', () => gradJvp(([p]) => p as tf.Scalar, [x()], [u()])],
    [
      'a loss that is not a tensor',
      'LOSS_NOT_SCALAR',
      () => gradJvp(() => 1 as unknown as tf.Scalar, [x()], [u()]),
    ],
    [
      'a loss of dtype int32',
      'LOSS_NOT_SCALAR',
      () => gradJvp((p) => sum(p).toInt() as tf.Scalar, [x()], [u()]),
    ],
    ['a loss without the parameters', 'LOSS_INDEPENDENT', () => gradJvp(() => tf.scalar(1), [x()], [u()])],
    ['a tangent of another shape', 'TANGENT_MISMATCH', () => gradJvp(sum, [x()], [tf.ones([1, 3])])],
    [
      'a tangent without the axis of directions',
      'TANGENT_MISMATCH',
      () => gradJvp(sum, [x()], [tf.ones([2])]),
    ],
    ['a tangent of dtype int32', 'TANGENT_MISMATCH', () => gradJvp(sum, [x()], [tf.ones([1, 2], 'int32')])],
    ['too few tangents', 'TANGENT_MISMATCH', () => gradJvp(sum, [x(), x()], [u()])],
    ['no tangent at all', 'TANGENT_MISMATCH', () => gradJvp(sum, [x()], [null])],
    [
      'different numbers of directions',
      'TANGENT_MISMATCH',
      () => gradJvp(sum, [x(), x()], [u(), tf.ones([2, 2])]),
    ],
    [
      'an integer parameter',
      'PARAMETER_DTYPE',
      () => gradJvp(sum, [tf.tensor1d([1], 'int32')], [tf.ones([1, 1])]),
    ],
  ])('%s is refused', (_what, reason, attempt) => {
    expect(attempt).toThrow(expect.objectContaining({ name: 'DifferentiationError', reason }));
  });

  it('a kernel without a rule is named with the line that calls it, and nothing of the interrupted pass is left', () => {
    const call = ([p]: tf.Tensor[]) =>
      tf.sum(runKernel('Unheard', { x: tf.mul(p as tf.Tensor, tf.exp(p as tf.Tensor)) })) as tf.Scalar;
    const attempt = () => gradJvp(call, [x()], [u()]);
    expect(attempt).toThrow(MissingRuleError);
    const location = expect.stringMatching(/jvp\.test\.ts:\d+:\d+$/);
    expect(attempt).toThrow(expect.objectContaining({ reason: 'MISSING_RULE', kernel: 'Unheard', location }));
  });

  it('a kernel without a rule that a gradient of tfjs calls is named', () => {
    const stock = tf.getGradient('Cos');
    const engine = tf.engine();
    // No line of this file is on the stack when a bound function runs.
    const gradFunc = (dy: tf.Tensor | tf.Tensor[]) => ({
      x: engine.runKernel.bind(engine, 'Unheard', { x: dy as tf.Tensor }) as () => tf.Tensor,
    });
    tf.unregisterGradient('Cos');
    tf.registerGradient({ kernelName: 'Cos', gradFunc });
    try {
      const attempt = () =>
        gradJvp(([p]) => tf.sum(tf.square(tf.cos(p as tf.Tensor))) as tf.Scalar, [x()], [u()]);
      expect(attempt).toThrow(expect.objectContaining({ kernel: 'Unheard', location: undefined }));
    } finally {
      tf.unregisterGradient('Cos');
      tf.registerGradient(stock);
    }
  });

  it('a tensor with tangents that reaches another backend is refused', () => {
    let escaped: tf.Tensor | undefined;
    const attempt = () =>
      jvp(
        ([p]) => {
          escaped = tf.mul(p as tf.Tensor, 2);
          const virtual = tf.engine().backendName;
          // A backend switch behind the engine's back, as a faulty rule would be.
          Object.assign(tf.engine(), { backendName: 'cpu', backendInstance: tf.findBackend('cpu') });
          try {
            return tf.square(escaped);
          } finally {
            Object.assign(tf.engine(), { backendName: virtual, backendInstance: tf.findBackend(virtual) });
          }
        },
        [x()],
        [u()],
      );
    expect(attempt).toThrow(expect.objectContaining({ reason: 'TANGENT_LOST' }));
  });
});
