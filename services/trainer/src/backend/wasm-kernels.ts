/**
 * Kernels of the wasm backend 4.22.0 that are missing, wrong or slow, written with its other kernels.
 *
 * Missing: Conv2DBackpropFilter. Wrong: MaxPoolGrad, whose running maximum starts above zero, so that a window whose
 * maximum is not positive sends its gradient to its first element. Slow: transposed BatchMatMul and
 * Conv2DBackpropInput, which are naive loops.
 */

import * as tf from '@tensorflow/tfjs-core';

type Tensor4D = tf.Tensor4D;
type Inputs = Readonly<Record<string, tf.Tensor>>;

interface ConvolutionAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Registers the kernels; those of the package that they replace are still used by some. */
export function registerWasmKernels(): void {
  replace('Conv2DBackpropFilter', (inputs, attributes) =>
    conv2dBackpropFilter(inputs, attributes as unknown as ConvolutionAttributes & { filterShape: Shape4D }),
  );
  replace('Conv2DBackpropInput', (inputs, attributes) =>
    conv2dBackpropInput(inputs, attributes as unknown as ConvolutionAttributes & { inputShape: Shape4D }),
  );
  replaceMaxPoolGrad();
  replaceBatchMatMul();
}

type Shape4D = [number, number, number, number];

/** Registers a kernel whose function is made of other kernels. */
function replace(kernelName: string, compute: (inputs: Inputs, attributes: object) => tf.Tensor): void {
  const stock = tf.getKernel(kernelName, 'wasm') as tf.KernelConfig | undefined;
  if (stock !== undefined) tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    // With its setupFunc, because the stock kernel may still be called.
    ...stock,
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => tf.tidy(() => compute(inputs as Inputs, attrs ?? {})),
  });
}

/**
 * dW[kh, kw, ci, co] as a convolution of the transposed input [ci, H, W, b] with the transposed dy [Ho, Wo, b, co]: the
 * stride of the forward convolution becomes the dilation here, and its dilation the stride.
 */
function conv2dBackpropFilter(
  inputs: Inputs,
  {
    strides,
    pad,
    filterShape,
    dimRoundingMode,
    dilations = 1,
  }: ConvolutionAttributes & { filterShape: Shape4D },
): tf.Tensor {
  const x = inputs['x'] as Tensor4D;
  const dy = inputs['dy'] as Tensor4D;
  const c = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, dilations, pad, dimRoundingMode);
  const bottom =
    (c.outHeight - 1) * c.strideHeight +
    (c.filterHeight - 1) * c.dilationHeight +
    1 -
    c.inHeight -
    c.padInfo.top;
  const right =
    (c.outWidth - 1) * c.strideWidth + (c.filterWidth - 1) * c.dilationWidth + 1 - c.inWidth - c.padInfo.left;
  const padded = padOrCut(x, c.padInfo.top, bottom, c.padInfo.left, right);
  const across = tf.transpose(padded, [3, 1, 2, 0]);
  const filters = tf.transpose(dy, [1, 2, 0, 3]);
  const dilation: [number, number] = [c.strideHeight, c.strideWidth];
  const stride: [number, number] = [c.dilationHeight, c.dilationWidth];
  return tf.transpose(dilatedConvolution(across, filters, stride, dilation), [1, 2, 0, 3]);
}

/** tf.conv2d refuses strides and dilations together: then the filter is dilated by hand. */
function dilatedConvolution(
  x: Tensor4D,
  filter: Tensor4D,
  stride: [number, number],
  dilation: [number, number],
): Tensor4D {
  const plain = (stride[0] === 1 && stride[1] === 1) || (dilation[0] === 1 && dilation[1] === 1);
  if (plain) return tf.conv2d(x, filter, stride, 'valid', 'NHWC', dilation);
  const moved = tf.transpose(filter, [2, 0, 1, 3]);
  const spread = tf.transpose(insertZeros(moved, dilation), [1, 2, 0, 3]);
  return tf.conv2d(x, spread as Tensor4D, stride, 'valid');
}

/** dx as a convolution of the zero-spread dy with the flipped filter. */
function conv2dBackpropInput(
  inputs: Inputs,
  {
    strides,
    pad,
    inputShape,
    dimRoundingMode,
    dilations = 1,
  }: ConvolutionAttributes & { inputShape: Shape4D },
): tf.Tensor {
  const dy = inputs['dy'] as Tensor4D;
  const filter = inputs['filter'] as Tensor4D;
  const c = tf.backend_util.computeConv2DInfo(
    inputShape,
    filter.shape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
  );
  const spread = insertZeros(dy, [c.strideHeight, c.strideWidth]);
  const top = (c.filterHeight - 1) * c.dilationHeight - c.padInfo.top;
  const left = (c.filterWidth - 1) * c.dilationWidth - c.padInfo.left;
  const bottom = c.inHeight - (spread.shape[1] + top - (c.filterHeight - 1) * c.dilationHeight);
  const right = c.inWidth - (spread.shape[2] + left - (c.filterWidth - 1) * c.dilationWidth);
  const padded = padOrCut(spread, top, bottom, left, right);
  const flipped = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as Tensor4D;
  return tf.conv2d(padded, flipped, 1, 'valid', 'NHWC', [c.dilationHeight, c.dilationWidth]);
}

/** Puts `step - 1` zeros between neighbours along height and width of [b, H, W, c]. */
function insertZeros(x: Tensor4D, [stepHeight, stepWidth]: [number, number]): Tensor4D {
  if (stepHeight === 1 && stepWidth === 1) return x;
  const [b, h, w, c] = x.shape;
  const apart = tf.reshape(x, [b * h, 1, w, 1, c]);
  const padded = tf.pad(apart, [
    [0, 0],
    [0, stepHeight - 1],
    [0, 0],
    [0, stepWidth - 1],
    [0, 0],
  ]);
  const whole = tf.reshape(padded, [b, h * stepHeight, w * stepWidth, c]) as Tensor4D;
  return tf.slice(whole, [0, 0, 0, 0], [b, (h - 1) * stepHeight + 1, (w - 1) * stepWidth + 1, c]);
}

/** Pads height and width with zeros; a negative amount cuts off. */
function padOrCut(x: Tensor4D, top: number, bottom: number, left: number, right: number): Tensor4D {
  const cut = (amount: number) => Math.max(0, -amount);
  const add = (amount: number) => Math.max(0, amount);
  const [b, h, w, c] = x.shape;
  let y = x;
  if ([top, bottom, left, right].some((amount) => amount < 0)) {
    const size: Shape4D = [b, h - cut(top) - cut(bottom), w - cut(left) - cut(right), c];
    y = tf.slice(y, [0, cut(top), cut(left), 0], size);
  }
  if ([top, bottom, left, right].every((amount) => amount <= 0)) return y;
  return tf.pad(y, [
    [0, 0],
    [add(top), add(bottom)],
    [add(left), add(right)],
    [0, 0],
  ]);
}

/** The stock kernel is right where all inputs are positive, so it is given shifted inputs. */
function replaceMaxPoolGrad(): void {
  const stock = tf.getKernel('MaxPoolGrad', 'wasm');
  replace('MaxPoolGrad', (inputs, attributes) => {
    const input = inputs['input'] as tf.Tensor;
    const positive = tf.add(tf.sub(input, tf.min(input)), 1);
    const args = {
      inputs: { ...inputs, input: positive },
      attrs: attributes as tf.NamedAttrMap,
      backend: tf.backend(),
    };
    return wrap(stock.kernelFunc(args));
  });
}

/** The stock kernel is fast for untransposed matrices only. */
function replaceBatchMatMul(): void {
  const stock = tf.getKernel('BatchMatMul', 'wasm');
  replace('BatchMatMul', (inputs, attributes) => {
    const { transposeA, transposeB } = attributes as { transposeA: boolean; transposeB: boolean };
    const untransposed = {
      a: swapped(inputs['a'] as tf.Tensor, transposeA),
      b: swapped(inputs['b'] as tf.Tensor, transposeB),
    };
    const attrs = { transposeA: false, transposeB: false };
    return wrap(stock.kernelFunc({ inputs: untransposed, attrs, backend: tf.backend() }));
  });
}

function swapped(x: tf.Tensor, transpose: boolean): tf.Tensor {
  if (!transpose) return x;
  const axes = x.shape.map((_, axis) => axis);
  return tf.transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]);
}

/** A kernel's bare result as a tensor that the surrounding tidy knows. */
function wrap(result: tf.TensorInfo | tf.TensorInfo[]): tf.Tensor {
  if (Array.isArray(result)) throw new TypeError('one output expected');
  return tf.engine().makeTensorFromTensorInfo(result);
}
