/** Standardisation: each channel of images, each feature of tables, with mean 0 and standard deviation 1. */

import { type Batch, type Indices, type LabelledExamples, sizeOf, toFloat32 } from './examples.ts';

/** What is subtracted from values, and what they are divided by. One number for each index of an example's last axis. */
export interface Standardization {
  readonly means: Float64Array;
  /** Never 0: a channel with one value only is divided by 1. */
  readonly deviations: Float64Array;
}

/** Examples that are unpacked at a time: bounds the memory. */
const CHUNK = 1024;

/**
 * Means and population standard deviations of some examples, in float64. The last axis of an example has its channels
 * (height, width, channels) or its features.
 * @param indices examples to train on; those to validate on must not be among them.
 * @throws RangeError when there are none.
 */
export function measure(examples: LabelledExamples, indices: Indices): Standardization {
  if (indices.length === 0) throw new RangeError('nothing to standardise by: there are no examples');
  const channels = channelsOf(examples);
  const perChannel = (indices.length * sizeOf(examples.shape)) / channels;
  const first = toFloat32(examples, [indices[0] as number]).subarray(0, channels);
  const varies = new Uint8Array(channels);
  const sums = new Float64Array(channels);
  for (const values of inChunks(examples, indices)) {
    for (let from = 0; from < values.length; from += channels) {
      for (let channel = 0; channel < channels; channel++) {
        const value = values[from + channel] as number;
        sums[channel] = (sums[channel] as number) + value;
        if (value !== first[channel]) varies[channel] = 1;
      }
    }
  }
  const means = sums.map((sum) => sum / perChannel);
  const squares = new Float64Array(channels);
  for (const values of inChunks(examples, indices)) {
    for (let from = 0; from < values.length; from += channels) {
      for (let channel = 0; channel < channels; channel++) {
        const distance = (values[from + channel] as number) - (means[channel] as number);
        squares[channel] = (squares[channel] as number) + distance * distance;
      }
    }
  }
  // Where nothing varies, rounding in the mean would leave a deviation just above 0.
  return {
    means,
    deviations: squares.map((sum, channel) => (varies[channel] ? Math.sqrt(sum / perChannel) : 1)),
  };
}

/** The same examples with (value − mean) / deviation. */
export function standardized(batch: Batch, { means, deviations }: Standardization): Batch {
  const channels = channelsOf(batch);
  const values = new Float32Array(batch.values.length);
  for (let from = 0; from < values.length; from += channels) {
    for (let channel = 0; channel < channels; channel++) {
      const distance = (batch.values[from + channel] as number) - (means[channel] as number);
      values[from + channel] = distance / (deviations[channel] as number);
    }
  }
  return { ...batch, values };
}

const channelsOf = ({ shape }: Pick<LabelledExamples, 'shape'>): number => shape.at(-1) ?? 1;

/** The values of some examples as float32, {@link CHUNK} examples at a time. */
function* inChunks(examples: LabelledExamples, indices: Indices): Generator<Float32Array> {
  const ordered = Uint32Array.from(indices);
  for (let from = 0; from < ordered.length; from += CHUNK) {
    yield toFloat32(examples, ordered.subarray(from, from + CHUNK));
  }
}
