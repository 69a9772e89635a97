/** Reads a `model.json` and the weight files that it names, and checks that all of them are there and whole. */

import { readFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { ModelError } from '../errors.ts';
import { sizeOf } from '../model.ts';

const weightSchema = z.looseObject({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.string(),
  /** `optimizer` where the weight is one that only further training in Keras needs. */
  group: z.string().optional(),
  quantization: z.looseObject({ dtype: z.enum(['uint8', 'uint16', 'float16']) }).optional(),
});

/** As Keras's converter and `LayersModel.save` write it. */
const modelSchema = z.looseObject({
  format: z.string().optional(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(z.looseObject({ paths: z.array(z.string()), weights: z.array(weightSchema) })),
});

type Weight = z.infer<typeof weightSchema>;

/** A model's layers, and the weights in the order of their bytes. */
export interface Artifacts {
  readonly topology: Readonly<Record<string, unknown>>;
  readonly specs: tf.io.WeightsManifestEntry[];
  readonly data: ArrayBuffer;
}

/**
 * @param folder with `model.json`; its weight files lie in it or below.
 * @throws ModelError UNREADABLE, FORMAT, WEIGHTS
 */
export async function readArtifacts(folder: string): Promise<Artifacts> {
  const file = join(folder, 'model.json');
  const { modelTopology, weightsManifest } = parseModel(await read(file), file);
  const parts: Buffer[] = [];
  for (const { paths, weights } of weightsManifest) {
    for (const weight of weights) checkDtype(weight, file);
    const shards = await Promise.all(paths.map((path) => read(insideOf(folder, path, file))));
    const found = shards.reduce((sum, { length }) => sum + length, 0);
    const expected = weights.reduce((sum, weight) => sum + bytesOf(weight), 0);
    if (found !== expected) {
      throw new ModelError(
        'WEIGHTS',
        `${paths.map((path) => join(folder, path)).join(', ')}: ${found} bytes in all, and the weights that ${file} ` +
          `lists for them are ${expected}; copy the files again, all from the same model`,
      );
    }
    parts.push(...shards);
  }
  return {
    topology: modelTopology,
    specs: weightsManifest.flatMap(({ weights }) => weights) as unknown as tf.io.WeightsManifestEntry[],
    data: new Uint8Array(Buffer.concat(parts)).buffer,
  };
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(
      'UNREADABLE',
      `${file} cannot be read: ${why}; a model is a folder with model.json and the weight files that it names`,
      {
        cause,
      },
    );
  }
}

function parseModel(text: Buffer, file: string): z.infer<typeof modelSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw new ModelError('FORMAT', `${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = modelSchema.safeParse(json);
  if (parsed.success && (parsed.data.format ?? 'layers-model') === 'layers-model') return parsed.data;
  const format = (json as { format?: unknown } | null)?.format;
  const why =
    parsed.success || (typeof format === 'string' && format !== 'layers-model')
      ? `its format is "${format}"`
      : z.prettifyError(parsed.error).replaceAll('\n', ' ');
  throw new ModelError(
    'FORMAT',
    `${file} is not a tfjs LayersModel: ${why}; save it with LayersModel.save, or convert a Keras model with ` +
      'tensorflowjs_converter --output_format tfjs_layers_model',
  );
}

function checkDtype({ name, dtype, group }: Weight, file: string): void {
  if (dtype === 'float32' || (group === 'optimizer' && dtype in BYTES)) return;
  throw new ModelError(
    'WEIGHTS',
    `${file}: weight "${name}" is of dtype ${dtype}; only float32 weights can be trained or used, so leave out the ` +
      'layer that it belongs to',
  );
}

const BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

const bytesOf = ({ shape, dtype, quantization }: Weight): number =>
  sizeOf(shape) * (BYTES[quantization?.dtype ?? dtype] ?? Number.NaN);

/** @throws ModelError FORMAT when the path leads out of the folder. */
function insideOf(folder: string, path: string, file: string): string {
  const target = join(folder, path);
  const way = relative(folder, target);
  if (isAbsolute(path) || way.startsWith('..')) {
    throw new ModelError(
      'FORMAT',
      `${file} names the weight file "${path}", which is not in its folder; move it there`,
    );
  }
  return target;
}
