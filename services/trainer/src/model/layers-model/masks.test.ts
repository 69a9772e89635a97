import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initBackend } from '../../backend/select.ts';
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

let home: string;
beforeAll(async () => {
  await initBackend({ backend: 'cpu', log: () => {} });
  home = await mkdtemp(join(tmpdir(), 'masks-'));
});
afterAll(() => rm(home, { recursive: true }));

const embedding = (mask_zero: boolean | number, from: string[] = []) =>
  layer('Embedding', 'embedding', { input_dim: 9, output_dim: 3, mask_zero, input_length: null }, from);
const gates = {
  SimpleRNN: {},
  LSTM: { recurrent_activation: 'sigmoid' },
  GRU: { recurrent_activation: 'sigmoid', reset_after: false },
};
const recurrent = (type: keyof typeof gates, name: string, config: object = {}, from: string[] = []) =>
  layer(type, name, { units: 4, activation: 'tanh', ...gates[type], ...config }, from);
const tanh = (name: string, from: string[] = []) =>
  layer('Dense', name, { units: 3, activation: 'tanh' }, from);

/** Logits of a model of sequences of these tokens. */
async function logits(
  model_config: Readonly<Record<string, unknown>>,
  tokens: number[][],
): Promise<tf.Tensor> {
  const shape = [tokens[0]?.length as number];
  const model = await kerasModel(home, model_config, shape, 3);
  // Twice: what a call leaves behind must not reach the next.
  model.apply(tensors(model), tf.ones([1, ...shape]));
  return model.apply(tensors(model), tf.tensor2d(tokens));
}

describe('a masked sequence', () => {
  it.each<[string, (masked: boolean, steps: number) => Readonly<Record<string, unknown>>]>([
    ['an LSTM', (masked, n) => sequential(input([n]), embedding(masked), recurrent('LSTM', 'l'), dense(3))],
    [
      'layers that work on single steps, and a bidirectional GRU',
      (masked, n) =>
        sequential(
          input([n]),
          embedding(masked),
          layer('Dropout', 'dropout', { rate: 0.5 }),
          tanh('tanh'),
          layer('Bidirectional', 'both', { layer: recurrent('GRU', 'l'), merge_mode: 'concat' }),
          dense(3),
        ),
    ],
    [
      'an LSTM after an Embedding with 1 for mask_zero',
      (masked, n) => sequential(input([n]), embedding(Number(masked)), recurrent('LSTM', 'l'), dense(3)),
    ],
    [
      'two recurrent layers',
      (masked, n) =>
        sequential(
          input([n]),
          embedding(masked),
          recurrent('SimpleRNN', 'first', { return_sequences: true }),
          recurrent('LSTM', 'second'),
          dense(3),
        ),
    ],
    [
      'an LSTM before a RepeatVector, but not the one after it',
      (masked, n) =>
        sequential(
          input([n]),
          embedding(masked),
          recurrent('LSTM', 'first'),
          layer('RepeatVector', 'repeat', { n: 5 }),
          recurrent('LSTM', 'second'),
          dense(3),
        ),
    ],
    [
      'a mean over the steps',
      (masked, n) =>
        sequential(input([n]), embedding(masked), layer('GlobalAveragePooling1D', 'mean'), dense(3)),
    ],
    [
      'the sum of two layers',
      (masked, n) =>
        functional(
          input([n]),
          embedding(masked, ['in']),
          tanh('a', ['embedding']),
          tanh('b', ['embedding']),
          layer('Add', 'sum', {}, ['a', 'b']),
          recurrent('LSTM', 'l', {}, ['sum']),
          { ...dense(3), inbound_nodes: [[['l', 0, 0, {}]]] },
        ),
    ],
    [
      'what follows an inner model',
      (masked, n) => {
        const inner = {
          ...sequential(input([n]), embedding(masked), tanh('tanh')),
          name: 'inner',
        } as unknown as KerasLayer;
        return sequential(input([n]), inner, recurrent('LSTM', 'l'), dense(3));
      },
    ],
  ])('is as long as it is without the masked steps for %s', async (_name, model) => {
    const masked = await logits(model(true, 5), [
      [3, 1, 7, 0, 0],
      [2, 8, 5, 0, 0],
    ]);
    const short = await logits(model(false, 3), [
      [3, 1, 7],
      [2, 8, 5],
    ]);
    expect(largestDifference(masked, short)).toBeLessThan(1e-5);
  });

  it('is whole again after a layer for which Keras 2 has no masks', async () => {
    const model = (masked: boolean) =>
      sequential(
        input([5]),
        embedding(masked),
        layer('Conv1D', 'convolution', { filters: 3, kernel_size: [2], padding: 'same' }),
        recurrent('LSTM', 'l'),
        dense(3),
      );
    const tokens = [[3, 1, 7, 0, 0]];
    expect(largestDifference(await logits(model(true), tokens), await logits(model(false), tokens))).toBe(0);
  });

  it('is masked by values, too', async () => {
    const model = (steps: number) =>
      sequential(
        input([steps, 2]),
        layer('Masking', 'masking', { mask_value: -1 }),
        recurrent('LSTM', 'l'),
        dense(3),
      );
    const [long, short] = await Promise.all(
      [4, 3].map((steps) => kerasModel(home, model(steps), [steps, 2], 3)),
    );
    tf.tidy(() => {
      const steps = [
        [0.1, 0.2],
        [-1, 0.3],
        [0.5, 0],
      ];
      const found = long?.apply(tensors(long), tf.tensor([[...steps, [-1, -1]]])) as tf.Tensor;
      const expected = short?.apply(tensors(short), tf.tensor([steps])) as tf.Tensor;
      expect(largestDifference(found, expected)).toBeLessThan(1e-6);
    });
  });

  it('is refused for a recurrent layer with an initial state', async () => {
    const model = functional(
      input([5]),
      embedding(true, ['in']),
      recurrent('LSTM', 'encoder', { return_state: true }, ['embedding']),
      layer('LSTM', 'decoder', { units: 4, activation: 'tanh', ...gates.LSTM, return_sequences: true }, [
        'embedding',
        ['encoder', 0, 1, {}],
        ['encoder', 0, 2, {}],
      ]),
      layer('Flatten', 'flatten', {}, ['decoder']),
      { ...dense(3), inbound_nodes: [[['flatten', 0, 0, {}]]] },
    );
    await expect(kerasModel(home, model, [5], 3)).rejects.toThrow(
      /reaches layer "decoder" \(LSTM\), for which masks with an initial_state are not implemented/,
    );
  });

  it.each<[string, KerasLayer[], RegExp]>([
    [
      'a softmax',
      [layer('Softmax', 'softmax', { axis: 1 }), layer('Flatten', 'flatten'), dense(3)],
      /reaches layer "softmax" \(Softmax\), for which masks are not implemented; save the model without it/,
    ],
    [
      'a layer that is applied to each step in its own way',
      [
        layer('Reshape', 'reshape', { target_shape: [5, 3] }),
        layer('Masking', 'masking'),
        layer('TimeDistributed', 'each', { layer: layer('RepeatVector', 'repeat', { n: 2 }) }),
        layer('Flatten', 'flatten'),
        dense(3),
      ],
      /reaches layer "each" \(TimeDistributed\)/,
    ],
    [
      'the output',
      [layer('Flatten', 'flatten'), layer('Masking', 'masking'), dense(3)],
      /reaches its output, where Keras would leave examples out of the loss/,
    ],
  ])('is refused where it reaches %s', async (_name, after, message) => {
    const model = sequential(input([5]), embedding(true), ...after);
    await expect(kerasModel(home, model, [5], 3)).rejects.toThrow(message);
  });
});
