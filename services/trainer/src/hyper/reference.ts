/** Compares hypergradients with reference numbers that were computed independently (`fixtures/README.md`). */

import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Examples } from '../inner/loss.ts';
import { sgd } from '../inner/sgd.ts';
import { TrainingRun } from '../inner/training-run.ts';
import { lenet } from '../model/lenet.ts';
import { logit } from './coordinate.ts';

/** The parts of `hyper.json` that are used. */
interface Reference {
  readonly ytrain: readonly (readonly number[])[];
  readonly yval: readonly number[];
  readonly xtrain_shape: readonly [number, number, number, number, number];
  readonly xval_shape: readonly [number, number, number, number];
  readonly phi_logits: readonly number[];
  readonly results: Readonly<Record<'float32' | 'float64', Results>>;
}

interface Results {
  /** By forward mode, after each step. */
  readonly h: readonly (readonly number[])[];
  /** By reverse mode, after the fifth step. */
  readonly reverse_mode_h5: readonly number[];
}

const LEARNED = ['lr', 'momentum', 'weightDecay'];

/**
 * Trains LeNet as the reference did, and compares each hypergradient h[t][k] with its results.
 * @param folder with `hyper.json`, `hyper_theta0.f32`, `hyper_mom0.f32`, `hyper_xtrain.f32` and `hyper_xval.f32`.
 * @param against which results: in one of the precisions by forward mode, or in float64 by reverse mode (the last step).
 * @returns the largest |h[t][k] − reference| / max over t of |reference[t][k]|, over all steps and components.
 */
export async function hypergradientFixtureError(
  folder: string,
  against: 'float32' | 'float64' | 'reverse' = 'float32',
): Promise<number> {
  const reference = JSON.parse(await readFile(join(folder, 'hyper.json'), 'utf8')) as Reference;
  const found = await hypergradients(folder, reference);
  const { float64 } = reference.results;
  return against === 'reverse'
    ? largestError(found.slice(-1), [float64.reverse_mode_h5])
    : largestError(found, reference.results[against].h);
}

/** Relative to each component's largest value. */
function largestError(found: readonly Float64Array[], expected: readonly (readonly number[])[]): number {
  const scale = LEARNED.map((_, k) => Math.max(...expected.map((row) => Math.abs(row[k] ?? Number.NaN))));
  const errors = expected.flatMap((row, t) =>
    row.map((value, k) => Math.abs((found[t]?.[k] ?? Number.NaN) - value) / (scale[k] ?? Number.NaN)),
  );
  return Math.max(...errors);
}

async function hypergradients(folder: string, reference: Reference): Promise<Float64Array[]> {
  const [weights, momentum, train, validation] = await Promise.all([
    readFloats(join(folder, 'hyper_theta0.f32')),
    readFloats(join(folder, 'hyper_mom0.f32')),
    readFloats(join(folder, 'hyper_xtrain.f32')),
    readFloats(join(folder, 'hyper_xval.f32')),
  ]);
  const [, ...batchShape] = reference.xtrain_shape;
  const coordinate = logit(0, 1);
  const values = LEARNED.map((name, k) => [
    name,
    [coordinate.toNatural(reference.phi_logits[k] ?? Number.NaN)],
  ]);
  const derivatives = reference.phi_logits.map((phi) => coordinate.derivative(phi));

  const run = new TrainingRun({
    model: lenet.build(lenet.typical),
    optimizer: sgd,
    weights,
    learned: LEARNED.map((name) => ({ name, index: 0 })),
  });
  run.restore({ ...run.snapshot(), buffers: [momentum] });
  const examples = (images: Float32Array, shape: readonly number[], labels: readonly number[]): Examples => ({
    x: tf.tensor(images, [...shape]),
    labels: tf.tensor1d([...labels], 'int32'),
  });
  const held = examples(validation, reference.xval_shape, reference.yval);
  const imagesPerBatch = tf.util.sizeFromShape(batchShape);
  try {
    return reference.ytrain.map((labels, t) => {
      const images = train.slice(t * imagesPerBatch, (t + 1) * imagesPerBatch);
      const batch = examples(images, batchShape, labels);
      run.step(batch, Object.fromEntries(values), derivatives);
      tf.dispose([batch.x, batch.labels]);
      return run.hypergradient(held) ?? new Float64Array();
    });
  } finally {
    tf.dispose([held.x, held.labels]);
    run.dispose();
  }
}

/** A flat file of little-endian binary32. */
async function readFloats(file: string): Promise<Float32Array> {
  const bytes = await readFile(file);
  if (bytes.length % 4 !== 0)
    throw new RangeError(`${file} is not a list of binary32: it has ${bytes.length} bytes`);
  if (endianness() === 'BE') bytes.swap32();
  return new Float32Array(new Uint8Array(bytes).buffer);
}
