/**
 * Layers of Keras 2 of which tfjs leaves out an option, computes it otherwise, or has no derivatives. Each stands in the
 * place of tfjs's layer where `layer-options.ts` says so, under the same name with `OWN` before it.
 */

import * as tf from '@tensorflow/tfjs-core';
import { type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import { OWN } from './layer-options.ts';

const { Layer } = layers;
type Layer = InstanceType<typeof Layer>;
type Config = ConstructorParameters<typeof Layer>[0];
type Inputs = tf.Tensor | tf.Tensor[];
type Shape = (number | null)[];
type DataFormat = 'channelsFirst' | 'channelsLast';

const onlyOne = <T>(inputs: T | T[]): T => (Array.isArray(inputs) ? (inputs[0] as T) : inputs);

/** One of tfjs's classes, which are registered and not exported, with what it does not declare of its members. */
const classOf = <Members>(name: string): (new (config: Config) => Layer & Members) =>
  tf.serialization.SerializationMap.getMap().classNameMap[name]?.[0] as unknown as new (
    config: Config,
  ) => Layer & Members;

/** `max_value` from there on, x above `threshold`, and `negative_slope`·(x − `threshold`) below. */
class ReLU extends Layer {
  static readonly className: string = `${OWN}ReLU`;
  readonly #maxValue: number | undefined;
  readonly #slope: number;
  readonly #threshold: number;

  constructor(config: Config & { maxValue?: number; negativeSlope?: number; threshold?: number }) {
    super(config);
    this.#maxValue = config.maxValue;
    this.#slope = config.negativeSlope ?? 0;
    this.#threshold = config.threshold ?? 0;
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyOne(inputs);
      const isAbove = tf.step(tf.sub(x, this.#threshold));
      const above = tf.mul(this.#maxValue === undefined ? x : tf.minimum(x, this.#maxValue), isAbove);
      return tf.sub(above, tf.mul(tf.relu(tf.sub(this.#threshold, x)), this.#slope));
    });
  }
}

/** x above `theta`, and 0 below; tfjs's has no gradient. */
class ThresholdedReLU extends ReLU {
  static override readonly className = `${OWN}ThresholdedReLU`;

  constructor(config: Config & { theta?: number }) {
    super({ ...config, threshold: config.theta ?? 1 });
  }
}

/** Bilinear interpolation between the centres of pixels; tfjs's is between their corners. */
class UpSampling2D extends Layer {
  static readonly className = `${OWN}UpSampling2D`;
  readonly #size: readonly [number, number];
  readonly #isChannelsFirst: boolean;

  constructor(config: Config & { size?: [number, number]; dataFormat?: DataFormat }) {
    super(config);
    this.#size = config.size ?? [2, 2];
    this.#isChannelsFirst = config.dataFormat === 'channelsFirst';
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const first = this.#isChannelsFirst ? 2 : 1;
    return (inputShape as Shape).map((length, axis) => {
      const factor = this.#size[axis - first];
      return length === null || factor === undefined ? length : length * factor;
    });
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyOne(inputs);
      const [rowsLast, columnsLast] = this.#isChannelsFirst
        ? [
            [0, 3, 1, 2],
            [0, 2, 3, 1],
          ]
        : [
            [0, 2, 3, 1],
            [0, 2, 3, 1],
          ];
      const tall = interpolate(tf.transpose(x, rowsLast), this.#size[0]);
      const large = interpolate(tf.transpose(tall, columnsLast), this.#size[1]);
      return this.#isChannelsFirst ? large : tf.transpose(large, [0, 2, 3, 1]);
    });
  }
}

/** Linear interpolation along the last axis, which becomes `factor` times as long. */
function interpolate(x: tf.Tensor, factor: number): tf.Tensor {
  const length = x.shape.at(-1) as number;
  const weights = tf.buffer([length, length * factor]);
  for (let to = 0; to < length * factor; to++) {
    const from = Math.min(Math.max((to + 0.5) / factor - 0.5, 0), length - 1);
    const left = Math.floor(from);
    weights.set(left + 1 - from, left, to);
    if (left < from) weights.set(from - left, left + 1, to);
  }
  const rows = tf.reshape(x, [-1, length]);
  return tf.reshape(tf.matMul(rows, weights.toTensor()), [...x.shape.slice(0, -1), length * factor]);
}

interface ConvolutionMembers {
  kernelSize: number[];
  readonly dilationRate: number[];
}

/**
 * A convolution whose kernel has zeros between its rows and columns, which is the same as one with dilation.
 * @param kernelName the member that is the kernel; it begins with an axis for each dilation.
 */
function dilated(name: string, kernelName: 'kernel' | 'depthwiseKernel') {
  type Kernel = Pick<LayerVariable, 'read'>;
  return class extends classOf<ConvolutionMembers & { [K in typeof kernelName]: Kernel | null }>(name) {
    static readonly className = OWN + name;

    override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
      return this.#undilated(() => super.computeOutputShape(inputShape));
    }

    override call(inputs: Inputs, options: Parameters<Layer['call']>[1]): tf.Tensor | tf.Tensor[] {
      return tf.tidy(() => this.#undilated(() => super.call(inputs, options)));
    }

    #undilated<T>(run: () => T): T {
      const { kernelSize, dilationRate, [kernelName]: kernel } = this;
      Object.assign(this, {
        kernelSize: kernelSize.map((size, i) => (size - 1) * (dilationRate[i] as number) + 1),
        dilationRate: dilationRate.map(() => 1),
        [kernelName]: kernel && { read: () => withZeros(kernel.read(), dilationRate) },
      });
      try {
        return run();
      } finally {
        Object.assign(this, { kernelSize, dilationRate, [kernelName]: kernel });
      }
    }
  };
}

/** Puts `rates[i]` − 1 zeros between neighbours along axis i. */
function withZeros(kernel: tf.Tensor, rates: readonly number[]): tf.Tensor {
  return rates.reduce((tensor: tf.Tensor, rate, axis) => {
    const { shape } = tensor;
    const length = shape[axis] as number;
    const before = tf.util.sizeFromShape(shape.slice(0, axis));
    const after = tf.util.sizeFromShape(shape.slice(axis + 1));
    const padded = tf.pad(tf.reshape(tensor, [before, length, 1, after]), [
      [0, 0],
      [0, 0],
      [0, rate - 1],
      [0, 0],
    ]);
    const long = (length - 1) * rate + 1;
    const cut = tf.slice(
      tf.reshape(padded, [before, length * rate, after]),
      [0, 0, 0],
      [before, long, after],
    );
    return tf.reshape(cut, [...shape.slice(0, axis), long, ...shape.slice(axis + 1)]);
  }, kernel);
}

/** With `output_padding`, which tells apart the sizes that a convolution would bring to the same. */
class Conv2DTranspose extends classOf<{
  readonly kernelSize: readonly [number, number];
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
  readonly dataFormat: DataFormat;
  readonly filters: number;
  readonly kernel: LayerVariable;
  readonly bias: LayerVariable | null;
  readonly activation: { apply(x: tf.Tensor): tf.Tensor };
}>('Conv2DTranspose') {
  static readonly className = `${OWN}Conv2DTranspose`;
  readonly #outputPadding: readonly number[];

  constructor(config: Config & { outputPadding: number | number[] }) {
    super(config);
    const { outputPadding } = config;
    this.#outputPadding = typeof outputPadding === 'number' ? [outputPadding, outputPadding] : outputPadding;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const shape = [...(inputShape as Shape)];
    const [channels, ...sides] = this.#isChannelsFirst ? [1, 2, 3] : [3, 1, 2];
    shape[channels as number] = this.filters;
    for (const [i, axis] of sides.entries()) shape[axis] = this.#lengthOf(shape[axis] ?? null, i);
    return shape;
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const given = onlyOne(inputs);
      const x = (this.#isChannelsFirst ? tf.transpose(given, [0, 2, 3, 1]) : given) as tf.Tensor4D;
      const [batch, height, width] = x.shape;
      const shape = [batch, this.#lengthOf(height, 0), this.#lengthOf(width, 1), this.filters];
      const kernel = this.kernel.read() as unknown as tf.Tensor4D;
      const sum = tf.conv2dTranspose(x, kernel, shape as tf.Tensor4D['shape'], this.strides, this.padding);
      const biased = this.bias === null ? sum : tf.add(sum, this.bias.read());
      return this.activation.apply(this.#isChannelsFirst ? tf.transpose(biased, [0, 3, 1, 2]) : biased);
    });
  }

  get #isChannelsFirst(): boolean {
    return this.dataFormat === 'channelsFirst';
  }

  #lengthOf(length: number | null, side: number): number | null {
    if (length === null) return null;
    const [kernel, stride, extra] = [this.kernelSize, this.strides, this.#outputPadding].map(
      (sizes) => sizes[side] as number,
    ) as [number, number, number];
    const margin = this.padding === 'same' ? Math.floor(kernel / 2) : 0;
    const long = (length - 1) * stride + kernel - 2 * margin + extra;
    const back =
      this.padding === 'same' ? Math.ceil(long / stride) : Math.floor((long - kernel) / stride) + 1;
    if (back !== length)
      throw new RangeError(`output_padding ${extra} does not go with kernel ${kernel} and stride ${stride}`);
    return long;
  }
}

/** By the stored statistics, along any axis, of tensors of any rank, and with no `scale` or `center`; tfjs's is fused. */
class BatchNormalization extends classOf<{
  readonly axis: number;
  readonly epsilon: number;
  readonly movingMean: LayerVariable;
  readonly movingVariance: LayerVariable;
  readonly gamma: LayerVariable | undefined;
  readonly beta: LayerVariable | undefined;
}>('BatchNormalization') {
  static readonly className = `${OWN}BatchNormalization`;

  override call(inputs: Inputs, options: Parameters<Layer['call']>[1]): tf.Tensor | tf.Tensor[] {
    const x = onlyOne(inputs);
    const axis = this.axis < 0 ? this.axis + x.rank : this.axis;
    const isPlain = axis === x.rank - 1 && x.rank <= 4 && this.gamma !== undefined && this.beta !== undefined;
    if (isPlain) return super.call(inputs, options);
    return tf.tidy(() => {
      const along = alongAxes(x, [axis]);
      const [mean, variance] = [along(this.movingMean), along(this.movingVariance)] as [tf.Tensor, tf.Tensor];
      return normalized(x, mean, variance, this.epsilon, along(this.gamma), along(this.beta));
    });
  }
}

/** With no `scale` or `center`, without which tfjs's has no gradient. */
class LayerNormalization extends classOf<{
  readonly axis: number[];
  readonly epsilon: number;
  readonly gamma: LayerVariable | null;
  readonly beta: LayerVariable | null;
}>('LayerNormalization') {
  static readonly className = `${OWN}LayerNormalization`;

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyOne(inputs);
      const along = alongAxes(x, this.axis);
      const { mean, variance } = tf.moments(x, this.axis, true);
      return normalized(x, mean, variance, this.epsilon, along(this.gamma), along(this.beta));
    });
  }
}

/** Values for each position along axes of x, in a shape that broadcasts to that of x. */
function alongAxes(x: tf.Tensor, axes: readonly number[]) {
  const shape = x.shape.map((length, i) => (axes.includes(i) ? length : 1));
  return (variable: LayerVariable | null | undefined) => variable && tf.reshape(variable.read(), shape);
}

type Values = tf.Tensor | null | undefined;

function normalized(
  x: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  epsilon: number,
  scale: Values,
  center: Values,
): tf.Tensor {
  const standard = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon)));
  const scaled = scale ? tf.mul(standard, scale) : standard;
  return center ? tf.add(scaled, center) : scaled;
}

/** Of vectors, too, which it leaves as they are; tfjs's refuses them. */
class Flatten extends classOf<{ inputSpec: unknown }>('Flatten') {
  static readonly className = `${OWN}Flatten`;

  constructor(config: Config) {
    super(config);
    this.inputSpec = [{ minNDim: 2 }];
  }
}

/** With a length that follows from the others (−1), which tfjs knows only when it runs. */
class Reshape extends classOf<{ readonly targetShape: Shape }>('Reshape') {
  static readonly className = `${OWN}Reshape`;

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [batch = null, ...lengths] = inputShape as Shape;
    const known = this.targetShape.filter((length) => length !== null);
    const all = tf.util.sizeFromShape(lengths.map((length) => length ?? Number.NaN));
    const rest = all / tf.util.sizeFromShape(known);
    return [batch, ...this.targetShape.map((length) => length ?? (Number.isInteger(rest) ? rest : null))];
  }
}

/** Along an axis that is counted from the end; tfjs takes each of those for the last. */
class Concatenate extends classOf<{ readonly axis: number }>('Concatenate') {
  static readonly className = `${OWN}Concatenate`;

  mergeFunction(inputs: tf.Tensor[]): tf.Tensor {
    return tf.concat(inputs, this.axis);
  }
}

/** Makes them known to tfjs. */
export function registerKerasLayers(): void {
  for (const layer of [
    ReLU,
    ThresholdedReLU,
    UpSampling2D,
    dilated('Conv1D', 'kernel'),
    dilated('Conv2D', 'kernel'),
    dilated('DepthwiseConv2D', 'depthwiseKernel'),
    dilated('SeparableConv2D', 'depthwiseKernel'),
    Conv2DTranspose,
    BatchNormalization,
    LayerNormalization,
    Flatten,
    Concatenate,
    Reshape,
  ]) {
    tf.serialization.registerClass(layer as unknown as Parameters<typeof tf.serialization.registerClass>[0]);
  }
}
