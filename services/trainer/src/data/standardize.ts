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
  const lowest = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
  const highest = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY);
  const sums = new Float64Array(channels);
  forEachValue(examples, indices, (value, channel) => {
    sums[channel] = (sums[channel] as number) + value;
    if (value < (lowest[channel] as number)) lowest[channel] = value;
    if (value > (highest[channel] as number)) highest[channel] = value;
  });
  const means = sums.map((sum) => sum / perChannel);
  const squares = new Float64Array(channels);
  forEachValue(examples, indices, (value, channel) => {
    const distance = value - (means[channel] as number);
    squares[channel] = (squares[channel] as number) + distance * distance;
  });
  // By comparison and not by a deviation of 0, which rounding in the mean would miss.
  const isConstant = (channel: number): boolean => lowest[channel] === highest[channel];
  return {
    means,
    deviations: squares.map((sum, channel) => (isConstant(channel) ? 1 : Math.sqrt(sum / perChannel))),
  };
}

/** The same examples with (value − mean) / deviation. */
export function standardized(batch: Batch, { means, deviations }: Standardization): Batch {
  const channels = channelsOf(batch);
  const values = batch.values.map((value, position) => {
    const channel = position % channels;
    return (value - (means[channel] as number)) / (deviations[channel] as number);
  });
  return { ...batch, values };
}

const channelsOf = ({ shape }: Pick<LabelledExamples, 'shape'>): number => shape.at(-1) ?? 1;

function forEachValue(
  examples: LabelledExamples,
  indices: Indices,
  visit: (value: number, channel: number) => void,
): void {
  const channels = channelsOf(examples);
  const ordered = Uint32Array.from(indices);
  for (let from = 0; from < ordered.length; from += CHUNK) {
    const values = toFloat32(examples, ordered.subarray(from, from + CHUNK));
    for (let position = 0; position < values.length; position++) {
      visit(values[position] as number, position % channels);
    }
  }
}
