import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initBackend } from '../../backend/select.ts';
import { ModelError } from '../errors.ts';
import { readConfiguration } from './configuration.ts';
import {
  dense,
  functional,
  input,
  type KerasLayer,
  kerasModel,
  largestDifference,
  layer,
  sequential,
  tensors,
} from './testing.ts';

type Json = Readonly<Record<string, unknown>>;

let home: string;
beforeAll(async () => {
  await initBackend({ backend: 'cpu', log: () => {} });
  home = await mkdtemp(join(tmpdir(), 'configuration-'));
});
afterAll(() => rm(home, { recursive: true }));

const read = (model_config: Json, more: Json = {}) =>
  readConfiguration({ topology: { keras_version: '2.15.0', model_config, ...more } }, 'model.json');

const problemOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

const lstm = { units: 4, activation: 'tanh', recurrent_activation: 'sigmoid' };

describe('an option of a layer', () => {
  it.each<[string, string, Json, RegExp]>([
    ['Conv2D', 'groups', { groups: 2 }, /groups is 2, and only 1 is implemented; split the channels/],
    ['Conv1D', 'padding', { padding: 'causal' }, /padding is "causal", and only "valid" or "same"/],
    ['Conv1D', 'data_format', { data_format: 'channels_first' }, /only "channels_last".*Permute/],
    ['SeparableConv2D', 'data_format', { data_format: 'channels_first' }, /only "channels_last"/],
    ['Conv2DTranspose', 'dilation_rate', { dilation_rate: [2, 1] }, /dilation_rate is \[2,1\], and only 1/],
    [
      'Conv3DTranspose',
      'output_padding',
      { output_padding: [1, 1, 1] },
      /output_padding is \[1,1,1\], and only null/,
    ],
    ['MaxPooling1D', 'data_format', { data_format: 'channels_first' }, /only "channels_last"/],
    ['GlobalMaxPooling1D', 'keepdims', { keepdims: true }, /keepdims is true, and only false.*Reshape/],
    [
      'GRU',
      'reset_after',
      { ...lstm, reset_after: true },
      /reset_after is true.*build the layer with reset_after=False/,
    ],
    ['GRU', 'reset_after, which Keras sets,', lstm, /reset_after is true/],
    ['LSTM', 'stateful', { ...lstm, stateful: true }, /stateful is true.*from batch to batch/],
    ['LSTM', 'time_major', { ...lstm, time_major: true }, /time_major is true/],
    ['LSTM', 'zero_output_for_mask', { ...lstm, zero_output_for_mask: true }, /zero_output_for_mask is true/],
    ['ConvLSTM2D', 'dilation_rate', { filters: 2, dilation_rate: [2, 2] }, /dilation_rate is \[2,2\]/],
    ['BatchNormalization', 'axis', { axis: [1, 2] }, /axis is \[1,2\], and only one axis/],
    ['BatchNormalization', 'renorm', { renorm: true }, /renorm is true/],
    [
      'BatchNormalization',
      'virtual_batch_size',
      { virtual_batch_size: 8 },
      /has the option virtual_batch_size \(8\)/,
    ],
    ['LayerNormalization', 'rms_scaling', { rms_scaling: true }, /has the option rms_scaling \(true\)/],
    [
      'Dense',
      'activation',
      { units: 3, activation: { class_name: 'LeakyReLU', config: {} } },
      /an activation by its name.*layer of its own/,
    ],
    [
      'LeakyReLU',
      'negative_slope',
      { negative_slope: 0.1 },
      /negative_slope \(0\.1\), which LeakyReLU does not have in Keras 2/,
    ],
    ['ELU', 'alpha', { alpha: 0.5 }, /alpha is 0\.5, and only 1/],
    [
      'UpSampling2D',
      'interpolation',
      { interpolation: 'bicubic' },
      /"bicubic", and only "nearest" or "bilinear"/,
    ],
    [
      'Embedding',
      'mask_zero',
      { input_dim: 9, output_dim: 3, mask_zero: 'True' },
      /mask_zero is "True", and only true or false/,
    ],
    ['Dense', 'use_bias', { units: 3, use_bias: 2 }, /use_bias is 2, and only true or false/],
    ['Dense', 'trainable', { units: 3, trainable: 'False' }, /trainable is "False", and only true or false/],
    ['LSTM', 'stateful, as a number,', { ...lstm, stateful: 1 }, /stateful is true/],
    ['ReLU', 'negative_slope', { negative_slope: '0.2' }, /negative_slope is "0\.2", and only a number/],
    ['ReLU', 'max_value', { max_value: '1' }, /max_value is "1", and only a number/],
    [
      'LeakyReLU',
      'alpha',
      { alpha: { class_name: '__numpy__', config: {} } },
      /alpha is \{.*, and only a number/,
    ],
    ['ThresholdedReLU', 'theta', { theta: [0.5] }, /theta is \[0\.5\], and only a number/],
    ['Dot', 'normalize', { axes: 1, normalize: true }, /normalize is true/],
    ['Concatenate', 'axis', { axis: 0 }, /axis is 0, and only an axis of the example/],
    [
      'Bidirectional',
      'backward_layer',
      { layer: layer('LSTM', 'l', lstm), backward_layer: layer('LSTM', 'b', lstm) },
      /backward_layer is .*and only null is implemented/,
    ],
    [
      'Bidirectional',
      'layer',
      { layer: layer('LSTM', 'inner', { ...lstm, stateful: true }) },
      /layer "inner" \(LSTM\): stateful/,
    ],
    [
      'RNN',
      'cell',
      { cell: layer('GRUCell', 'cell', lstm) },
      /layer "cell" \(GRUCell\): reset_after is true/,
    ],
    ['Dense', 'dtype', { units: 3, dtype: 'float16' }, /dtype is "float16", and only "float32"/],
    [
      'Dense',
      'dtype',
      { units: 3, dtype: { class_name: 'Policy', config: { name: 'mixed_float16' } } },
      /"mixed_float16"/,
    ],
    [
      'Dense',
      'option that nobody knows',
      { units: 3, gain: 2 },
      /layer "l" \(Dense\) has the option gain \(2\)/,
    ],
  ])('of %s: %s with another value is refused by its name', (type, _what, config, message) => {
    const problem = problemOf(() => read(sequential(input([4, 4, 2]), layer(type, 'l', config))));
    expect(problem).toBeInstanceOf(ModelError);
    expect(problem).toMatchObject({ reason: 'OPTION', message: expect.stringMatching(message) });
    expect(String(problem)).toContain('model.json: layer "');
  });

  it('that is off may be written as 0', () => {
    const model = sequential(
      input([4, 2]),
      layer('LSTM', 'l', { ...lstm, return_sequences: 1, stateful: 0, time_major: 0 }),
      layer('GlobalAveragePooling1D', 'mean', { keepdims: 0 }),
    );
    const { layers } = (read(model).topology as { config: { layers: KerasLayer[] } }).config;
    expect(layers[1]?.config).toMatchObject({ return_sequences: true, stateful: false, time_major: false });
    expect(layers[2]?.config).toMatchObject({ keepdims: false });
  });

  it('may have the value that Keras writes when it does nothing, known or not', () => {
    const model = sequential(
      input([4, 4, 2], { dtype: 'uint8', optional: false }),
      layer('Conv2D', 'c', { filters: 2, kernel_size: [1, 1], groups: 1, dilation_rate: [1, 1], hook: null }),
      layer('Conv2DTranspose', 't', {
        filters: 2,
        kernel_size: [1, 1],
        output_padding: null,
        dtype: { class_name: 'Policy', config: { name: 'float32' } },
      }),
    );
    expect(read(model).penalties).toEqual([]);
  });

  it('that only a training of Keras uses is named among what is not used', () => {
    const config = {
      kernel_regularizer: { class_name: 'L2', config: { l2: 0.01 } },
      bias_constraint: { class_name: 'NonNeg', config: {} },
    };
    expect(read(sequential(input([4]), dense(3, config))).penalties).toEqual([
      'dense.kernel_regularizer',
      'dense.bias_constraint',
    ]);
  });
});

describe('a model', () => {
  it.each<[string, Json, ModelError['reason'], RegExp]>([
    [
      'of Keras 3',
      { keras_version: '3.4.1' },
      'FORMAT',
      /saved by Keras 3 \(its keras_version is 3\.4\.1\).*tf_keras/,
    ],
    [
      'of Keras 3, as a number',
      { keras_version: 3 },
      'FORMAT',
      /saved by Keras 3 \(its keras_version is 3\)/,
    ],
    [
      'with a dtype as Keras 3 has it',
      sequential(
        dense(3, { dtype: { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' } } }),
      ),
      'FORMAT',
      /saved by Keras 3.*DTypePolicy/,
    ],
    [
      'with an input as Keras 3 has it',
      sequential(layer('InputLayer', 'in', { batch_shape: [null, 4] })),
      'FORMAT',
      /saved by Keras 3.*batch_shape/,
    ],
    [
      'with calls as Keras 3 has them',
      functional(input([4]), { ...dense(3), inbound_nodes: [{ args: [], kwargs: {} }] }),
      'FORMAT',
      /saved by Keras 3.*inbound_nodes/,
    ],
    [
      'with a layer of no known class',
      sequential(layer('Lambda', 'twice')),
      'UNKNOWN_LAYER',
      /layer "twice" \(Lambda\) is not a layer that can be used.*docs\/models\.md/,
    ],
    [
      'with a layer that tfjs computes otherwise',
      sequential(layer('Resizing', 'small', { height: 2, width: 2 })),
      'UNKNOWN_LAYER',
      /"small" \(Resizing\)/,
    ],
    [
      "with a layer of the name of an object's member",
      sequential(layer('constructor', 'l')),
      'UNKNOWN_LAYER',
      /\(constructor\)/,
    ],
    [
      'with a custom class of a known name',
      sequential({ ...dense(3), registered_name: 'mine>Dense' }),
      'UNKNOWN_LAYER',
      /layer "dense" \(Dense\)/,
    ],
    [
      'with a class of another module',
      sequential({ ...dense(3), module: 'mine.layers' }),
      'UNKNOWN_LAYER',
      /layer "dense" \(Dense\)/,
    ],
    [
      'called with an argument',
      functional(input([4]), { ...dense(3), inbound_nodes: [[['in', 0, 0, { training: true }]]] }),
      'OPTION',
      /"dense" \(Dense\) is called with training = true/,
    ],
    [
      'with an input that is not there',
      functional(input([4]), layer('Dense', 'd', { units: 3 }, ['elsewhere'])),
      'FORMAT',
      /the inputs of layer "d" \(Dense\), from "elsewhere"/,
    ],
    [
      'with a circle',
      functional(
        input([4]),
        layer('Dense', 'a', { units: 3 }, ['b']),
        layer('Dense', 'b', { units: 3 }, ['a']),
      ),
      'FORMAT',
      /the inputs of layer "a" \(Dense\), from "b"/,
    ],
    [
      'with two layers of one name',
      functional(
        input([4]),
        layer('Dense', 'd', { units: 3 }, ['in']),
        layer('Dense', 'd', { units: 3 }, ['in']),
      ),
      'FORMAT',
      /the name of layer "d" \(Dense\) is not its own/,
    ],
    [
      'with a name that is long and has control characters',
      sequential(layer('Lambda', `\u001b${'x'.repeat(100_000)}`)),
      'UNKNOWN_LAYER',
      /^model\.json: layer "\\u001bx{59}…" \(Lambda\)/,
    ],
    [
      'with an operation of TensorFlow',
      functional(input([4]), { ...layer('TFOpLambda', 'times'), inbound_nodes: [['in', 0, 0, { y: 2 }]] }),
      'UNKNOWN_LAYER',
      /layer "times" \(TFOpLambda\)/,
    ],
    ['without layers', { class_name: 'Sequential', config: {} }, 'FORMAT', /has no list of layers/],
    [
      'with a layer without configuration',
      { class_name: 'Sequential', config: { layers: [{ class_name: 'Dense' }] } },
      'FORMAT',
      /layer 1 of .* has no class_name and config/,
    ],
    ['that is one layer', dense(3), 'UNKNOWN_LAYER', /layer "dense" \(Dense\)/],
  ])('%s is refused with what is wrong', (_what, config, reason, message) => {
    const problem = problemOf(() => ('keras_version' in config ? read(sequential(), config) : read(config)));
    expect(problem).toBeInstanceOf(ModelError);
    expect(problem).toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  it('written by Keras 3, however that is spelt, is refused', () => {
    const description = { topology: { model_config: sequential() }, generatedBy: 'Keras v3.4.1' };
    expect(String(problemOf(() => readConfiguration(description, 'model.json')))).toMatch(/saved by Keras 3/);
  });

  it('freezes what its file says is not trainable with a 0', async () => {
    const model = sequential(
      input([4]),
      layer('Dense', 'a', { units: 4, trainable: 0 }),
      dense(3, { use_bias: 0 }),
    );
    const { parameters } = await kerasModel(home, model, [4], 3);
    expect(parameters.map(({ name }) => name)).toEqual(['dense/kernel']);
  });

  it('is read with what newer versions of Keras 2 write besides', async () => {
    const written = (node: KerasLayer): KerasLayer => ({
      ...node,
      module: 'keras.layers',
      registered_name: null,
      build_config: { input_shape: [null, 4] },
    });
    const model = functional(
      written(input([4])),
      written({ ...dense(3), inbound_nodes: [[['in', 0, 0, {}]]] }),
    );
    expect((await kerasModel(home, model, [4], 3)).parameters).toHaveLength(2);
  });

  it('trains none of the weights of what is frozen', async () => {
    const frozen = {
      ...sequential(input([8]), layer('Dense', 'inner', { units: 4 })),
      name: 'frozen',
    } as unknown as KerasLayer;
    const model = sequential(
      input([5, 2]),
      layer('Bidirectional', 'both', { trainable: false, layer: layer('LSTM', 'l', lstm) }),
      { ...frozen, config: { ...frozen.config, name: 'frozen', trainable: false } },
      dense(3),
    );
    const { parameters } = await kerasModel(home, model, [5, 2], 3);
    expect(parameters.map(({ name }) => name)).toEqual(['dense/kernel', 'dense/bias']);
  });

  it('takes as many examples at a time as there are, whatever its file says', async () => {
    const model = sequential(layer('InputLayer', 'in', { batch_input_shape: [32, 4] }), dense(3));
    const built = await kerasModel(home, model, [4], 3);
    expect(tf.tidy(() => built.apply(tensors(built), tf.ones([5, 4])).shape)).toEqual([5, 3]);
  });

  it('gives recurrent layers their own initial states', async () => {
    const model = functional(
      input([5, 2]),
      layer('LSTM', 'first', { ...lstm, return_state: true, return_sequences: true }, ['in']),
      layer('LSTM', 'second', lstm, [
        ['first', 0, 0, {}],
        ['first', 0, 1, {}],
        ['first', 0, 2, {}],
      ]),
      layer('RepeatVector', 'repeat', { n: 2 }, ['second']),
      layer('LSTM', 'third', lstm, ['repeat']),
      { ...dense(3), inbound_nodes: [[['third', 0, 0, {}]]] },
    );
    const built = await kerasModel(home, model, [5, 2], 3);
    tf.tidy(() => {
      const x = tf.randomUniform([2, 5, 2], -1, 1, 'float32', 1);
      const logits = () => built.apply(tensors(built), x);
      expect(largestDifference(logits(), logits())).toBe(0);
    });
  });

  it('concatenates along an axis that is counted from the end', async () => {
    const model = functional(
      input([2, 2]),
      layer('Dense', 'a', { units: 2 }, ['in']),
      layer('Concatenate', 'both', { axis: -2 }, ['in', 'a']),
      layer('Flatten', 'flatten', {}, ['both']),
      { ...dense(3, { use_bias: false }), inbound_nodes: [[['flatten', 0, 0, {}]]] },
    );
    const built = await kerasModel(home, model, [2, 2], 3);
    tf.tidy(() => {
      const weights = tensors(built);
      const [kernel, bias, last] = weights as [tf.Tensor2D, tf.Tensor1D, tf.Tensor2D];
      const x = tf.tensor([1, 2, 3, 4], [1, 2, 2]);
      const a = tf.reshape(tf.add(tf.matMul(tf.reshape(x, [2, 2]), kernel), bias), [1, 2, 2]);
      const expected = tf.matMul(tf.reshape(tf.concat([x, a], 1), [1, 8]), last);
      expect(largestDifference(built.apply(weights, x), expected)).toBeLessThan(1e-5);
    });
  });
});

it('a softmax over another axis than the last is refused', async () => {
  const model = sequential(
    input([2, 3]),
    layer('Softmax', 'attention', { axis: 1 }),
    layer('Flatten', 'flatten'),
    dense(3),
  );
  await expect(kerasModel(home, model, [2, 3], 3)).rejects.toMatchObject({
    reason: 'OPTION',
    message: expect.stringMatching(/layer "attention" \(Softmax\): axis is 1, and only the last axis/),
  });
});

describe('the output', () => {
  const ending = (...last: KerasLayer[]) => sequential(input([6]), ...last);
  const softmax = (units: number, name = 'softmax') => layer('Dense', name, { units, activation: 'softmax' });

  it.each<[string, Json, RegExp]>([
    [
      'a rescaled softmax',
      ending(softmax(3), layer('Rescaling', 'scaled', { scale: 2, offset: 0 })),
      /of layer "softmax" by layer "scaled" \(Rescaling\)/,
    ],
    [
      'a normalised softmax',
      ending(softmax(3), layer('BatchNormalization', 'bn')),
      /of layer "softmax" by layer "bn" \(BatchNormalization\)/,
    ],
    [
      'a mean of softmax maps',
      sequential(
        input([2, 6]),
        layer('TimeDistributed', 'each', { layer: softmax(3) }),
        layer('GlobalAveragePooling1D', 'mean'),
      ),
      /of layer "each" by layer "mean"/,
    ],
    [
      'a softmax inside of an LSTM',
      sequential(input([2, 6]), layer('LSTM', 'l', { ...lstm, units: 3, activation: 'softmax' })),
      /its output is that of layer "l" \(LSTM\), whose softmax is applied inside of the layer/,
    ],
    [
      'a sigmoid',
      ending(dense(3), layer('Activation', 'squash', { activation: 'sigmoid' })),
      /layer "squash" .*activation sigmoid/,
    ],
    [
      'a softmax over an axis of its own',
      ending(layer('Reshape', 'r', { target_shape: [3, 2] }), softmax(1), layer('Flatten', 'f')),
      /softmax of layer "softmax" is not over the classes alone/,
    ],
    [
      'a mean of two softmax heads by a frozen layer',
      functional(
        input([6]),
        layer('Dense', 'a', { units: 3, activation: 'softmax' }, ['in']),
        layer('Dense', 'b', { units: 3, activation: 'softmax' }, ['in']),
        layer('Concatenate', 'both', {}, ['a', 'b']),
        layer('Dense', 'mean', { units: 3, trainable: false, activation: 'linear' }, ['both']),
      ),
      /of layer "a" by layer "mean" \(Dense\)/,
    ],
    [
      'that of an inner model that is used twice',
      {
        class_name: 'Functional',
        config: {
          name: 'model',
          layers: [
            input([6]),
            {
              ...sequential(input([6]), softmax(6)),
              name: 'inner',
              config: { name: 'inner', layers: [input([6]), softmax(6)] },
              inbound_nodes: [[['in', 0, 0, {}]], [['inner', 1, 0, {}]]],
            },
          ],
          input_layers: [['in', 0, 0]],
          output_layers: [['inner', 2, 0]],
        },
      },
      /softmax of layer "softmax" is not over the classes alone/,
    ],
  ])('may not be %s', async (_name, model, message) => {
    const problem = await kerasModel(home, model, [6], 3).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(ModelError);
    expect(problem).toMatchObject({ reason: 'NOT_A_CLASSIFIER', message: expect.stringMatching(message) });
  });

  it('may be scores that a linear layer makes of probabilities or hidden units, or gated by them', async () => {
    const gated = functional(
      input([6]),
      { ...dense(3), inbound_nodes: [[['in', 0, 0, {}]]] },
      layer('Dense', 'gate', { units: 3, activation: 'sigmoid' }, ['in']),
      layer('Multiply', 'product', {}, ['dense', 'gate']),
    );
    const hidden = layer('Dense', 'hidden', { units: 4, activation: 'sigmoid' });
    await expect(kerasModel(home, ending(softmax(4), dense(3)), [6], 3)).resolves.toBeDefined();
    await expect(
      kerasModel(home, ending(hidden, dense(3, { trainable: false })), [6], 3),
    ).resolves.toBeDefined();
    await expect(kerasModel(home, gated, [6], 3)).resolves.toBeDefined();
  });
});
