import { mkdir, mkdtemp, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hessianVectorProduct } from '../../ad/jvp.ts';
import { noise } from '../../ad/rules/rule-case.ts';
import { virtualBackend } from '../../ad/virtual-kernels.ts';
import { initBackend } from '../../backend/select.ts';
import { meanLoss } from '../../inner/loss.ts';
import { sgd } from '../../inner/sgd.ts';
import { TrainingRun } from '../../inner/training-run.ts';
import { ModelError } from '../errors.ts';
import { lenet } from '../lenet.ts';
import { getModel, listModels } from '../registry.ts';
import { MAX_WEIGHT_BYTES } from './artifacts.ts';
import { loadLayersModel } from './layers-model.ts';
import { saveLayersModel } from './save.ts';
import { largestDifference, tensors } from './testing.ts';

const { layers } = tfl;
let folder: string;

beforeAll(async () => {
  await initBackend({ backend: 'cpu', log: () => {} });
  folder = await mkdtemp(join(tmpdir(), 'models-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A small convolutional network with what Keras users have: batch normalisation, dropout, a softmax. */
function network(): tfl.LayersModel {
  return tfl.sequential({
    layers: [
      layers.conv2d({
        inputShape: [8, 8, 1],
        filters: 3,
        kernelSize: 3,
        padding: 'same',
        kernelRegularizer: 'l1l2',
      }),
      layers.batchNormalization(),
      layers.activation({ activation: 'elu' }),
      layers.averagePooling2d({ poolSize: 2 }),
      layers.dropout({ rate: 0.5 }),
      layers.flatten(),
      layers.dense({ units: 3, activation: 'softmax', kernelInitializer: 'randomUniform' }),
    ],
  });
}

/** Numbers that no initializer makes, and statistics that are not those of batch normalisation before training. */
function withNumbers(model: tfl.LayersModel, seed = 1): tfl.LayersModel {
  const values = model.getWeights().map((weight, i) => {
    const numbers = Float32Array.from({ length: weight.size }, (_, k) => 0.1 + noise(seed + i, k));
    return tf.tensor(numbers, weight.shape);
  });
  model.setWeights(values);
  tf.dispose(values);
  return model;
}

/** Saves a model under an id, and answers with its folder. */
async function saved(id: string, model: tfl.LayersModel): Promise<string> {
  await saveLayersModel(model, join(folder, id));
  return join(folder, id);
}

const images = (count: number, shape: readonly number[]): tf.Tensor =>
  tf.randomUniform([count, ...shape], 0, 1, 'float32', 'images');

describe('a LayersModel', () => {
  it('answers with the logits of its own probabilities', async () => {
    const original = withNumbers(network());
    await saved('logits', original);
    const model = await getModel('logits', { inputShape: [8, 8, 1], classes: 3 }, folder);
    tf.tidy(() => {
      const x = images(5, [8, 8, 1]);
      const logits = model.apply(tensors(model), x);
      expect(logits.shape).toEqual([5, 3]);
      expect(largestDifference(tf.softmax(logits), original.predict(x) as tf.Tensor)).toBeLessThan(1e-6);
      expect(tf.max(logits).dataSync()[0]).toBeGreaterThan(1);
    });
  });

  it('has its trainable weights, as in the file, for parameters', async () => {
    await saved('weights', withNumbers(network()));
    const model = await getModel('weights', { inputShape: [8, 8, 1], classes: 3 }, folder);
    // Without the mean and variance of batch normalisation.
    expect(model.parameters.map(({ shape }) => shape)).toEqual([[3, 3, 1, 3], [3], [3], [3], [48, 3], [3]]);
    expect(model.initialise(0)[0]).toBe(Math.fround(0.1 + noise(1, 0)));
    expect(model.initialise(1)).toEqual(model.initialise(0));
  });

  it('is a function of the parameters that it is given, with exact second derivatives', async () => {
    await saved('derivatives', withNumbers(network()));
    const model = await getModel('derivatives', { inputShape: [8, 8, 1], classes: 3 }, folder);
    tf.tidy(() => {
      const x = images(4, [8, 8, 1]);
      const loss = meanLoss(model, { x, labels: tf.tensor1d([0, 2, 1, 2], 'int32') });
      const theta = tensors(model);
      const u = theta.map(({ shape }, i) => tf.randomUniform(shape, -1, 1, 'float32', `u${i}`));
      const gradient = (distance: number) => {
        const at = theta.map((value, i) => tf.add(value, tf.mul(u[i] as tf.Tensor, distance)));
        return tf.grads((...p: tf.Tensor[]) => loss(p))(at);
      };
      const { products } = hessianVectorProduct(loss, theta, u);
      const [up, down] = [gradient(0.01), gradient(-0.01)];
      const size = Math.max(...products.map((p) => tf.max(tf.abs(p)).dataSync()[0] as number));
      products.forEach((product, i) => {
        const difference = tf.div(tf.sub(up[i] as tf.Tensor, down[i] as tf.Tensor), 0.02);
        expect(largestDifference(product, difference) / size).toBeLessThan(2e-3);
      });
    });
  });

  it('trains with hypergradients, and leaves nothing behind', async () => {
    const before = { ...tf.memory(), records: virtualBackend('cpu').numDataIds() };
    {
      const original = withNumbers(network());
      using loaded = await loadLayersModel(await saved('training', original));
      original.dispose();
      const model = loaded.build({ inputShape: [8, 8, 1], classes: 3 });
      const learned = [{ name: 'lr', index: 0 }];
      const run = new TrainingRun({ model, optimizer: sgd, weights: model.initialise(0), learned });
      const examples = {
        x: images(12, [8, 8, 1]),
        labels: tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], 'int32'),
      };
      const first = run.evaluate(examples).loss;
      for (let t = 0; t < 20; t++) run.step(examples, { lr: [0.05] }, [0.05]);
      expect(run.evaluate(examples).loss).toBeLessThan(first);
      expect(Math.abs(run.hypergradient(examples)?.[0] ?? 0)).toBeGreaterThan(1e-6);
      run.dispose();
      tf.dispose([examples.x, examples.labels]);
    }
    const { numTensors, numDataBuffers } = tf.memory();
    expect({ numTensors, numDataBuffers, records: virtualBackend('cpu').numDataIds() }).toEqual({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
      records: before.records,
    });
  });

  it.each<[string, () => tfl.LayersModel, number[]]>([
    [
      'a softmax layer',
      () =>
        tfl.sequential({
          layers: [layers.dense({ inputShape: [6], units: 4 }), layers.softmax()],
        }),
      [6],
    ],
    [
      'a softmax before a reshape, as in MobileNet',
      () =>
        tfl.sequential({
          layers: [
            layers.conv2d({ inputShape: [4, 4, 2], kernelSize: 4, filters: 4 }),
            layers.activation({ activation: 'softmax' }),
            layers.reshape({ targetShape: [4] }),
          ],
        }),
      [4, 4, 2],
    ],
    [
      'a functional graph with two ways and a nested model',
      () => {
        const input = tfl.input({ shape: [6] });
        const hidden = layers.dense({ units: 5, activation: 'tanh' }).apply(input) as tfl.SymbolicTensor;
        const sum = layers
          .add()
          .apply([hidden, layers.dense({ units: 5 }).apply(input) as tfl.SymbolicTensor]);
        const head = tfl.sequential({
          layers: [layers.dense({ inputShape: [5], units: 4, activation: 'softmax' })],
        });
        return tfl.model({ inputs: input, outputs: head.apply(sum) as tfl.SymbolicTensor });
      },
      [6],
    ],
    [
      'recurrent and embedding layers',
      () =>
        tfl.sequential({
          layers: [
            layers.embedding({ inputDim: 9, outputDim: 3, inputLength: 5 }),
            layers.lstm({ units: 4 }),
            layers.dense({ units: 4, activation: 'softmax' }),
          ],
        }),
      [5],
    ],
    [
      'separable and transposed convolutions, layer normalisation and PReLU',
      () =>
        tfl.sequential({
          layers: [
            layers.separableConv2d({ inputShape: [6, 6, 2], filters: 3, kernelSize: 3 }),
            layers.prelu(),
            layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2 }),
            layers.layerNormalization(),
            layers.globalMaxPooling2d({}),
            layers.dense({ units: 4, activation: 'softmax' }),
          ],
        }),
      [6, 6, 2],
    ],
  ])('may have %s', async (what, make, inputShape) => {
    const original = withNumbers(make());
    const id = what.replaceAll(/\W+/g, '-');
    await saved(id, original);
    const model = await getModel(id, { inputShape, classes: 4 }, folder);
    tf.tidy(() => {
      const x = images(3, inputShape);
      const logits = model.apply(tensors(model), x);
      expect(largestDifference(tf.softmax(logits), original.predict(x) as tf.Tensor)).toBeLessThan(1e-5);
    });
  });

  it('takes images of one channel without the axis, and flat ones, but not images turned round', async () => {
    const flat = () => tfl.sequential({ layers: [layers.dense({ inputShape: [64], units: 3 })] });
    await saved('flat', flat());
    const plane = tfl.sequential({
      layers: [layers.flatten({ inputShape: [8, 8] }), layers.dense({ units: 3 })],
    });
    await saved('plane', plane);
    const [ofFlat, ofPlane] = (await listModels(folder)).filter(({ id }) => ['flat', 'plane'].includes(id));
    expect(ofFlat?.rejects({ inputShape: [8, 8, 1], classes: 3 })).toBeUndefined();
    expect(ofPlane?.rejects({ inputShape: [8, 8, 1], classes: 3 })).toBeUndefined();
    expect(ofPlane?.rejects({ inputShape: [1, 8, 8], classes: 3 })).toBeUndefined();
    expect(ofPlane?.rejects({ inputShape: [64], classes: 3 })).toMatch(/shape 8×8, and these are 64/);
    expect(ofFlat?.rejects({ inputShape: [8, 8, 1], classes: 10 })).toMatch(/3 classes apart, not 10/);
    const model = await getModel('plane', { inputShape: [8, 8, 1], classes: 3 }, folder);
    expect(tf.tidy(() => model.apply(tensors(model), images(2, [8, 8, 1])).shape)).toEqual([2, 3]);
  });

  it('says which regularizers of the file it is trained without', async () => {
    await saved('regularized', network());
    const listed = (await listModels(folder)).find(({ id }) => id === 'regularized');
    expect(listed?.description).toMatch(/; trained without its conv2d_Conv2D\d+\.kernel_regularizer$/);
  });

  it('is listed with its weights, and one that cannot be used with what is wrong', async () => {
    await saved('listed', withNumbers(network()));
    await mkdir(join(folder, 'empty'), { recursive: true });
    const task = { inputShape: [8, 8, 1], classes: 3 };
    const models = await listModels(folder);
    const listed = models.find(({ id }) => id === 'listed');
    expect(listed).toMatchObject({
      weights: 27 + 3 + 3 + 3 + 144 + 3,
      description: expect.stringContaining('8×8×1, 3 classes'),
    });
    expect(listed?.parameters(task)).toEqual((await getModel('listed', task, folder)).parameters);
    const empty = models.find(({ id }) => id === 'empty');
    expect(empty?.rejects({ inputShape: [8, 8, 1], classes: 3 })).toMatch(/empty.model\.json cannot be read/);
  });
});

describe('a model of Keras', () => {
  const layer = (class_name: string, name: string, config: object, inbound?: string) => ({
    class_name,
    name,
    config: { name, trainable: true, dtype: 'float32', ...config },
    inbound_nodes: inbound === undefined ? [] : [[[inbound, 0, 0, {}]]],
  });
  const dense = {
    use_bias: true,
    kernel_initializer: { class_name: 'GlorotUniform', config: { seed: null } },
    bias_initializer: { class_name: 'Zeros', config: {} },
    kernel_regularizer: { class_name: 'MyPenalty', config: {} },
    bias_regularizer: null,
    activity_regularizer: null,
    kernel_constraint: null,
    bias_constraint: null,
  };
  /** As tensorflowjs_converter writes it. */
  const json = {
    format: 'layers-model',
    generatedBy: 'keras v2.15.0',
    convertedBy: 'TensorFlow.js Converter v4.22.0',
    modelTopology: {
      keras_version: '2.15.0',
      backend: 'tensorflow',
      model_config: {
        class_name: 'Functional',
        config: {
          name: 'model',
          trainable: true,
          layers: [
            layer('InputLayer', 'input_1', {
              batch_input_shape: [null, 2, 2, 1],
              sparse: false,
              ragged: false,
            }),
            layer('Flatten', 'flatten', { data_format: 'channels_last' }, 'input_1'),
            layer('Dense', 'hidden', { ...dense, units: 2, activation: 'relu' }, 'flatten'),
            layer('Dense', 'dense', { ...dense, units: 3, activation: 'softmax' }, 'hidden'),
          ],
          input_layers: [['input_1', 0, 0]],
          output_layers: [['dense', 0, 0]],
        },
      },
      training_config: {
        loss: 'my_loss',
        metrics: ['auc'],
        optimizer_config: { class_name: 'Adam', config: {} },
      },
    },
    weightsManifest: [
      {
        paths: ['group1-shard1of2.bin', 'group1-shard2of2.bin'],
        weights: [
          { name: 'hidden/kernel', shape: [4, 2], dtype: 'float32' },
          {
            name: 'hidden/bias',
            shape: [2],
            dtype: 'float32',
            quantization: { dtype: 'float16', original_dtype: 'float32' },
          },
          { name: 'dense/kernel', shape: [2, 3], dtype: 'float32' },
          { name: 'dense/bias', shape: [3], dtype: 'float32' },
        ],
      },
    ],
  };

  it('is read with its shards and half-precision weights, whatever it was trained with', async () => {
    const home = join(folder, 'keras');
    await mkdir(home);
    const kernel = Float32Array.of(1, 0, 0, 1, 1, 0, 0, 1);
    // 1 and −2.
    const half = Uint16Array.of(0x3c00, 0xc000);
    const head = Float32Array.of(1, 2, 3, 4, 5, 6, 0.5, 0, -0.5);
    const bytes = Buffer.concat([kernel, half, head].map(({ buffer }) => Buffer.from(buffer)));
    await writeFile(join(home, 'model.json'), JSON.stringify(json));
    await writeFile(join(home, 'group1-shard1of2.bin'), bytes.subarray(0, 40));
    await writeFile(join(home, 'group1-shard2of2.bin'), bytes.subarray(40));

    const model = await getModel('keras', { inputShape: [2, 2, 1], classes: 3 }, folder);
    // The hidden units: 1 + 3 + 1 and 2 + 4 − 2.
    const x = tf.tensor([1, 2, 3, 4], [1, 2, 2, 1]);
    const logits = tf.tidy(() => model.apply(tensors(model), x)).dataSync();
    expect([...logits]).toEqual([5 + 16 + 0.5, 10 + 20, 15 + 24 - 0.5]);
  });
});

describe('a folder of models', () => {
  it('that does not exist is refused with the option that names it', async () => {
    const missing = join(folder, 'no', 'such');
    await expect(listModels(missing)).rejects.toMatchObject({
      name: 'ModelError',
      reason: 'UNREADABLE',
      message: expect.stringMatching(/no.such.*GLOCAL_MODEL_DIR/),
    });
  });

  it('must not have the name of a built-in model in it', async () => {
    const other = await mkdtemp(join(tmpdir(), 'models-'));
    await mkdir(join(other, lenet.id));
    await expect(listModels(other)).rejects.toThrow(/lenet has the name of a built-in model; rename/);
    await rm(other, { recursive: true });
  });
});

/** Rewrites the model.json of a saved model. */
async function edited(model: string, edit: (json: ModelJson) => unknown): Promise<string> {
  const file = join(model, 'model.json');
  const json = JSON.parse(await readFile(file, 'utf8')) as ModelJson;
  await writeFile(file, JSON.stringify(edit(json) ?? json));
  return model;
}
interface ModelJson {
  format: string;
  modelTopology: { config: { layers: { class_name: string; config: Record<string, unknown> }[] } };
  weightsManifest: [{ paths: [string]; weights: { name: string; shape: number[]; dtype: string }[] }];
}

describe('a model that cannot be used', () => {
  const task = { inputShape: [8, 8, 1], classes: 3 };
  const plain = (id: string) => saved(id, withNumbers(network()));
  const ending = (id: string, ...last: tfl.LayersModel['layers']) =>
    saved(id, tfl.sequential({ layers: [layers.flatten({ inputShape: [8, 8, 1] }), ...last] }));

  it.each<[string, () => Promise<string>, ModelError['reason'], RegExp]>([
    [
      'without a weight file',
      async () => {
        const model = await plain('no-shard');
        await rm(join(model, 'weights.bin'));
        return model;
      },
      'UNREADABLE',
      /weights\.bin cannot be read/,
    ],
    [
      'with a weight file that is cut off',
      async () => {
        const model = await plain('cut-off');
        await truncate(join(model, 'weights.bin'), 100);
        return model;
      },
      'WEIGHTS',
      /weights\.bin: 100 bytes in all.*are 756; copy the files again/,
    ],
    [
      'that is not JSON',
      async () => {
        const model = await plain('no-json');
        await writeFile(join(model, 'model.json'), '<html>');
        return model;
      },
      'FORMAT',
      /model\.json is not JSON/,
    ],
    [
      'with a number that JSON does not have',
      async () => {
        const model = await plain('infinity');
        await writeFile(join(model, 'model.json'), '{"max_value": Infinity}');
        return model;
      },
      'FORMAT',
      /model\.json is not JSON: it has the number Infinity, which JSON does not have; save the model with a finite/,
    ],
    [
      'of another format',
      async () => edited(await plain('graph'), (json) => ({ ...json, format: 'graph-model' })),
      'FORMAT',
      /format is "graph-model".*tfjs_layers_model/,
    ],
    [
      'without a manifest',
      async () => edited(await plain('no-manifest'), ({ modelTopology }) => ({ modelTopology })),
      'FORMAT',
      /weightsManifest/,
    ],
    [
      'whose weight files lie elsewhere',
      async () =>
        edited(await plain('elsewhere'), (json) => {
          json.weightsManifest[0].paths[0] = '../weights.bin';
        }),
      'FORMAT',
      /"\.\.\/weights\.bin", which is not in its folder/,
    ],
    [
      'whose weight file is a link to another folder',
      async () => {
        const model = await plain('linked');
        await rename(join(model, 'weights.bin'), join(folder, 'elsewhere.bin'));
        await symlink(join(folder, 'elsewhere.bin'), join(model, 'weights.bin'));
        return model;
      },
      'FORMAT',
      /"weights\.bin", which is not in its folder; put the file itself there/,
    ],
    [
      'that is a link to another folder',
      async () => {
        const model = await plain('linked-json');
        await rename(join(model, 'model.json'), join(folder, 'elsewhere.json'));
        await symlink(join(folder, 'elsewhere.json'), join(model, 'model.json'));
        return model;
      },
      'FORMAT',
      /model\.json is a link to another folder; put the file itself there/,
    ],
    [
      'with more bytes of weights than the limit',
      async () => {
        const model = await plain('huge');
        await truncate(join(model, 'weights.bin'), MAX_WEIGHT_BYTES + 1);
        return model;
      },
      'WEIGHTS',
      /weights\.bin has 1200000001 bytes.*the limit is 1200000000 in all/,
    ],
    [
      'whose weight file is a folder',
      async () => {
        const model = await plain('folder');
        await rm(join(model, 'weights.bin'));
        await mkdir(join(model, 'weights.bin'));
        return model;
      },
      'UNREADABLE',
      /weights\.bin is not a file/,
    ],
    [
      'in UTF-16',
      async () => {
        const model = await plain('utf-16');
        const file = join(model, 'model.json');
        await writeFile(file, `\ufeff${await readFile(file, 'utf8')}`, 'utf16le');
        return model;
      },
      'FORMAT',
      /model\.json is text in UTF-16; save it as UTF-8$/,
    ],
    [
      'in a compressed file',
      async () => {
        const model = await plain('gzip');
        const file = join(model, 'model.json');
        await writeFile(file, gzipSync(await readFile(file)));
        return model;
      },
      'FORMAT',
      /model\.json is compressed with gzip; unpack it first$/,
    ],
    [
      'with control characters for JSON',
      async () => {
        const model = await plain('control');
        await writeFile(join(model, 'model.json'), '{"a\u0007": \u001b[31m}');
        return model;
      },
      'FORMAT',
      /model\.json is not JSON: [^\p{Cc}]*$/u,
    ],
    [
      'with weights that are whole numbers',
      async () =>
        edited(await plain('whole'), (json) => {
          Object.assign(json.weightsManifest[0].weights[0] ?? {}, { dtype: 'int32' });
        }),
      'WEIGHTS',
      /"conv2d.*\/kernel" is of dtype int32; only float32/,
    ],
    [
      'with weights of another shape',
      async () =>
        edited(await plain('reshaped'), (json) => {
          Object.assign(json.weightsManifest[0].weights[0] ?? {}, { shape: [3, 1, 3, 3] });
        }),
      'WEIGHTS',
      /\/kernel" is of shape 3×1×3×3 where its layer has 3×3×1×3/,
    ],
    [
      'with weights of another name',
      async () =>
        edited(await plain('renamed'), (json) => {
          Object.assign(json.weightsManifest[0].weights[0] ?? {}, { name: 'other/kernel' });
        }),
      'WEIGHTS',
      /other\/kernel/,
    ],
    [
      'with a weight that is not finite',
      async () => {
        const model = network();
        model.setWeights(
          model.getWeights().map((weight, i) => (i === 1 ? tf.fill(weight.shape, Number.NaN) : weight)),
        );
        return saved('nan', model);
      },
      'WEIGHTS',
      /number 0 of weight "conv2d.*\/bias" is NaN/,
    ],
    [
      'with a layer that tfjs does not have',
      async () =>
        edited(await plain('unknown-layer'), ({ modelTopology }) => {
          Object.assign(modelTopology.config.layers[1] ?? {}, { class_name: 'SpectralNorm' });
        }),
      'UNKNOWN_LAYER',
      /\(SpectralNorm\) is not a layer that can be used; write the model with the layers that docs/,
    ],
    [
      'whose layers do not fit together',
      async () =>
        edited(await plain('misfit'), ({ modelTopology }) => {
          modelTopology.config.layers.splice(-1, 0, {
            class_name: 'MaxPooling2D',
            config: { name: 'pool', pool_size: [2, 2] },
          });
        }),
      'FORMAT',
      /layers do not fit together:.*check it by loading it/,
    ],
    [
      'of Keras 3',
      async () =>
        edited(await plain('keras-3'), ({ modelTopology }) => {
          const [first] = modelTopology.config.layers;
          Object.assign(modelTopology, { keras_version: '3.5.0' });
          Object.assign(first ?? {}, {
            class_name: 'InputLayer',
            config: { name: 'in', batch_shape: [null, 8, 8, 1] },
          });
        }),
      'FORMAT',
      /saved by Keras 3.*tf_keras/,
    ],
    [
      'that answers with independent probabilities',
      () => ending('sigmoid', layers.dense({ units: 3, activation: 'sigmoid', name: 'last' })),
      'NOT_A_CLASSIFIER',
      /layer "last" .*which has the activation sigmoid/,
    ],
    [
      'whose softmax goes over something else',
      () =>
        ending(
          'odd-softmax',
          layers.dense({ units: 6 }),
          layers.reshape({ targetShape: [2, 3] }),
          layers.softmax({ name: 'odd' }),
          layers.flatten(),
        ),
      'NOT_A_CLASSIFIER',
      /softmax of layer "odd" is not over the classes alone/,
    ],
    [
      'with one output',
      () => ending('regression', layers.dense({ units: 1 })),
      'NOT_A_CLASSIFIER',
      /output is of shape 1; it must be one number for each/,
    ],
    [
      'with two outputs',
      () => {
        const input = tfl.input({ shape: [8, 8, 1] });
        const flat = layers.flatten().apply(input) as tfl.SymbolicTensor;
        const outputs = [0, 1].map(() => layers.dense({ units: 3 }).apply(flat) as tfl.SymbolicTensor);
        return saved('two-outputs', tfl.model({ inputs: input, outputs }));
      },
      'NOT_A_CLASSIFIER',
      /1 inputs and 2 outputs/,
    ],
    [
      'with nothing to train',
      () => ending('frozen', layers.dense({ units: 3, trainable: false })),
      'NOT_A_CLASSIFIER',
      /no trainable weights; set trainable = true/,
    ],
    [
      'for other images',
      () =>
        saved(
          'other-images',
          tfl.sequential({ layers: [layers.flatten({ inputShape: [9, 9, 1] }), layers.dense({ units: 3 })] }),
        ),
      'UNSUITABLE',
      /other-images.*shape 9×9×1, and these are 8×8×1/,
    ],
    [
      'with a kernel that has no derivative',
      () =>
        ending(
          'no-derivative',
          layers.reshape({ targetShape: [4, 4, 4, 1] }),
          layers.conv3dTranspose({ filters: 1, kernelSize: 1, name: 'back' }),
          layers.flatten(),
          layers.dense({ units: 3, trainable: false }),
        ),
      'NOT_DIFFERENTIABLE',
      /no-derivative cannot be trained on backend cpu: .*in its gradient: .*Conv3DBackpropInputV2/,
    ],
  ])('%s says what, where, and what to do', async (_what, make, reason, message) => {
    const id = (await make()).split('/').at(-1) ?? '';
    const held = tf.memory().numTensors;
    const error = await getModel(id, task, folder).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message) });
    expect(String(error)).toContain(id);
    expect(tf.memory().numTensors).toBe(held);
  });
});
