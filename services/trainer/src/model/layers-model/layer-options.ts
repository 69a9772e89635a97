/**
 * The layers that a model may have, and of each the options of Keras 2 with the values that are implemented. tfjs reads
 * some of the options that Keras writes and takes no notice of the others; a model with one of those would compute
 * something else without a word. So what a layer's configuration may hold is stated here, and all else is refused.
 */

/** Which values of an option are implemented. */
export interface Option {
  allows(value: unknown): boolean;
  /** The implemented values, for people. */
  readonly implemented: string;
  /** What to do about another value. */
  readonly remedy: string;
  /** A value of the file as one of this option, where the same is written in several ways. */
  read?(value: unknown): unknown;
}

export interface LayerOptions {
  readonly options: Readonly<Record<string, Option>>;
  /** Keras's defaults where those of tfjs are others, or where tfjs has none. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Options in the form that tfjs takes, where that is another than Keras's, or that would only make it warn. */
  rewritten?(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /** Whether it takes a class of our own (`keras-layers.ts`) to compute what Keras does; without it, tfjs's is right. */
  needsOwn?(config: Readonly<Record<string, unknown>>): boolean;
}

/** An option that tfjs reads as Keras does, or that has no effect outside of Keras's own training. */
const any: Option = { allows: () => true, implemented: 'any value', remedy: '' };

/** @param values each number of a list must be one of them; leaving the option out is always right. */
function only(values: readonly unknown[], remedy: string): Option {
  return {
    allows: (value) =>
      [value].flat().every((one) => one === null || one === undefined || values.includes(one)),
    implemented: values.length === 0 ? 'null' : values.map((value) => JSON.stringify(value)).join(' or '),
    remedy,
  };
}

/** True or false, for which Python also writes 1 or 0. */
const flag: Option = {
  allows: (value) => typeof value === 'boolean',
  implemented: 'true or false',
  remedy: 'write one of them',
  read: (value) => (value === 0 || value === 1 ? value === 1 : value),
};
/** @param remedy what to do where it is set. */
const off = (remedy: string): Option => ({
  ...flag,
  allows: (value) => value === false,
  implemented: 'false',
  remedy,
});

const number: Option = {
  allows: (value) => typeof value === 'number',
  implemented: 'a number',
  remedy: 'write the number itself',
};

const REBUILD = 'build the model with that, train it, and save it again';

const activation: Option = {
  allows: (value) => value === null || typeof value === 'string',
  implemented: 'an activation by its name',
  remedy: 'write the activation as a layer of its own after this one',
};
const numbers: Option = {
  allows: (value) => [value].flat(3).every((one) => one === null || typeof one === 'number'),
  implemented: 'a number or a list of numbers',
  remedy: 'write the numbers out',
};
const padding = only(['valid', 'same'], 'use one of them');
const channelsLast = only(['channels_last'], 'use that, with a Permute layer before it');
const noGroups = only(
  [1],
  'split the channels among several layers and concatenate what they give, or use DepthwiseConv2D for groups of one',
);
const noDilation = only([1], REBUILD);
const noState = off('state would go from batch to batch; save the model without');

/** The position of one axis, which Keras also writes as a list. */
const oneAxis: Option = {
  allows: (value) => [value].flat().length === 1 && typeof [value].flat()[0] === 'number',
  implemented: 'one axis',
  remedy: REBUILD,
};

const depthwise = {
  kernel_size: numbers,
  strides: numbers,
  padding,
  data_format: any,
  dilation_rate: numbers,
  groups: noGroups,
  activation,
  use_bias: flag,
};
const convolution = { filters: number, ...depthwise };

/** tfjs has the derivatives of convolutions without dilation only, and its DepthwiseConv2D has none. */
const isDilated = ({ dilation_rate: rate }: Readonly<Record<string, unknown>>): boolean =>
  [rate ?? 1].flat().some((one) => one !== 1);

const pooling = { pool_size: numbers, strides: numbers, padding, data_format: any };
const keepdims = off('leave it out and put a Reshape layer after it');

const cell = { units: number, activation, use_bias: flag, dropout: any, recurrent_dropout: any };
const gatedCell = { ...cell, recurrent_activation: activation, implementation: any };
const lstmCell = { ...gatedCell, unit_forget_bias: flag };
const gruCell = {
  ...gatedCell,
  reset_after: off('build the layer with reset_after=False and train it so, or use an LSTM'),
};
const recurrent = {
  return_sequences: flag,
  return_state: flag,
  go_backwards: flag,
  stateful: noState,
  unroll: flag,
  time_major: off('use that, with a Permute layer before it'),
  zero_output_for_mask: off(REBUILD),
};
/** Outside of Keras's training nothing is dropped, and how the steps are computed changes no value. */
const rewritten = () => ({ dropout: 0, recurrent_dropout: 0, unroll: false, implementation: 2 });

const convolution3d = { ...convolution, dilation_rate: noDilation };
const noise = { rate: number, seed: any, noise_shape: any };
const elementwise: LayerOptions = { options: {} };

export const LAYERS: Readonly<Record<string, LayerOptions>> = {
  InputLayer: {
    options: {
      sparse: off('make the input dense'),
      ragged: off('make the input dense, padded to one length'),
    },
  },

  Dense: { options: { units: number, activation, use_bias: flag, input_dim: number } },
  Embedding: {
    options: { input_dim: number, output_dim: number, input_length: numbers, mask_zero: flag, sparse: flag },
  },

  Conv1D: {
    options: { ...convolution, data_format: channelsLast },
    needsOwn: isDilated,
  },
  Conv2D: { options: convolution, needsOwn: isDilated },
  Conv3D: { options: convolution3d },
  Conv2DTranspose: {
    options: { ...convolution, dilation_rate: noDilation, output_padding: numbers },
    needsOwn: (config) => config.output_padding !== undefined,
  },
  Conv3DTranspose: { options: { ...convolution3d, output_padding: only([], REBUILD) } },
  DepthwiseConv2D: {
    options: { ...depthwise, depth_multiplier: number },
    needsOwn: isDilated,
  },
  SeparableConv2D: {
    options: { ...convolution, data_format: channelsLast, depth_multiplier: number },
    // Keras writes them for this layer, which has no kernel of that name.
    rewritten: () => ({ kernel_initializer: null, kernel_regularizer: null, kernel_constraint: null }),
    needsOwn: isDilated,
  },

  MaxPooling1D: { options: { ...pooling, data_format: channelsLast } },
  AveragePooling1D: { options: { ...pooling, data_format: channelsLast } },
  MaxPooling2D: { options: pooling },
  AveragePooling2D: { options: pooling },
  MaxPooling3D: { options: pooling },
  AveragePooling3D: { options: pooling },
  GlobalMaxPooling1D: { options: { data_format: channelsLast, keepdims } },
  GlobalAveragePooling1D: { options: { data_format: channelsLast, keepdims } },
  GlobalMaxPooling2D: { options: { data_format: any, keepdims } },
  GlobalAveragePooling2D: { options: { data_format: any, keepdims } },

  SimpleRNN: { options: { ...cell, ...recurrent }, rewritten },
  LSTM: {
    options: { ...lstmCell, ...recurrent },
    defaults: { recurrent_activation: 'sigmoid' },
    rewritten,
  },
  GRU: {
    options: { ...gruCell, ...recurrent },
    defaults: { recurrent_activation: 'sigmoid', reset_after: true },
    rewritten,
  },
  ConvLSTM2D: {
    options: { ...lstmCell, ...recurrent, ...convolution3d, data_format: channelsLast },
    defaults: { recurrent_activation: 'hard_sigmoid' },
    rewritten,
  },
  RNN: { options: { ...recurrent, cell: any }, rewritten: () => ({ unroll: false }) },
  SimpleRNNCell: { options: cell, rewritten },
  LSTMCell: { options: lstmCell, defaults: { recurrent_activation: 'sigmoid' }, rewritten },
  GRUCell: {
    options: gruCell,
    defaults: { recurrent_activation: 'sigmoid', reset_after: true },
    rewritten,
  },
  Bidirectional: {
    options: {
      layer: any,
      merge_mode: any,
      backward_layer: only([], 'build the layer without it, so that both ways are of the same kind'),
    },
  },
  TimeDistributed: { options: { layer: any } },

  BatchNormalization: {
    options: {
      axis: oneAxis,
      momentum: number,
      epsilon: number,
      center: flag,
      scale: flag,
      fused: flag,
      synchronized: flag,
      renorm: off('save the model without'),
    },
    defaults: { axis: -1 },
    rewritten: ({ axis }) => ({ axis: [axis].flat()[0] }),
    needsOwn: () => true,
  },
  LayerNormalization: {
    options: { axis: numbers, epsilon: number, center: flag, scale: flag },
    needsOwn: ({ center, scale }) => center === false || scale === false,
  },

  Activation: { options: { activation } },
  ReLU: {
    options: { max_value: number, negative_slope: number, threshold: number },
    needsOwn: ({ negative_slope: slope, threshold }) => Boolean(slope) || Boolean(threshold),
  },
  LeakyReLU: { options: { alpha: number } },
  PReLU: { options: { shared_axes: numbers } },
  ELU: { options: { alpha: only([1], 'use 1, SELU or another activation') } },
  ThresholdedReLU: { options: { theta: number }, needsOwn: () => true },
  Softmax: {
    options: { axis: numbers },
    defaults: { axis: -1 },
    rewritten: ({ axis }) => (Array.isArray(axis) && axis.length === 1 ? { axis: axis[0] } : {}),
  },

  Flatten: { options: { data_format: any }, needsOwn: () => true },
  Reshape: {
    options: { target_shape: numbers },
    needsOwn: ({ target_shape: shape }) => Array.isArray(shape) && shape.includes(-1),
  },
  Permute: { options: { dims: numbers } },
  RepeatVector: { options: { n: number } },
  ZeroPadding2D: { options: { padding: numbers, data_format: any } },
  Cropping2D: {
    options: { cropping: numbers, data_format: any },
    defaults: { cropping: 0, data_format: 'channels_last' },
  },
  UpSampling2D: {
    options: {
      size: numbers,
      data_format: any,
      interpolation: only(['nearest', 'bilinear'], 'use one of them'),
    },
    rewritten: ({ size }) => (typeof size === 'number' ? { size: [size, size] } : {}),
    needsOwn: ({ interpolation }) => interpolation === 'bilinear',
  },
  Rescaling: { options: { scale: numbers, offset: numbers } },

  Add: elementwise,
  Multiply: elementwise,
  Average: elementwise,
  Maximum: elementwise,
  Minimum: elementwise,
  Concatenate: {
    options: { axis: { ...any, allows: (value) => value !== 0, implemented: 'an axis of the example' } },
    needsOwn: ({ axis }) => typeof axis === 'number' && axis < -1,
  },
  Dot: {
    options: {
      axes: numbers,
      normalize: off('divide the vectors by their norms before they reach the model'),
    },
  },

  Masking: { options: { mask_value: number } },
  Dropout: { options: noise },
  SpatialDropout1D: { options: noise },
  AlphaDropout: { options: noise },
  GaussianDropout: { options: noise },
  GaussianNoise: { options: { stddev: number, seed: any } },
};

/** Models that are layers of models. */
export const CONTAINERS: ReadonlySet<string> = new Set(['Sequential', 'Functional', 'Model']);

/** Options of every layer. */
export const COMMON: Readonly<Record<string, Option>> = {
  name: any,
  trainable: flag,
  batch_input_shape: any,
  input_shape: any,
  batch_size: any,
};

/** How the names of our own classes begin, before that of the class in whose place they stand. */
export const OWN = 'Keras';
