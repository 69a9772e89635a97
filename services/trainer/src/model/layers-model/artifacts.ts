/** Reads a `model.json` and the weight files that it names, and checks that all of them are there and whole. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { DataError } from '../../data/errors.ts';
import { isInside, readBytes } from '../../data/files.ts';
import { decodeText } from '../../data/text.ts';
import { listed, printable, quoteCell } from '../../resource/quote.ts';
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
  /** For instance "keras v2.15.0". */
  generatedBy: z.string().nullish(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(z.looseObject({ paths: z.array(z.string()), weights: z.array(weightSchema) })),
});

type Weight = z.infer<typeof weightSchema>;

/** What a `model.json` says of the model's layers. */
export interface Description {
  readonly topology: Readonly<Record<string, unknown>>;
  /** What wrote them, where that is said. */
  readonly generatedBy?: string | null | undefined;
}

/** A model's layers, and the weights in the order of their bytes. */
export interface Artifacts extends Description {
  readonly specs: tf.io.WeightsManifestEntry[];
  readonly data: ArrayBuffer;
}

/** Most bytes of a `model.json`, and of all weight files together: 300 million weights. */
const MAX_JSON_BYTES = 64 * 1024 ** 2;
export const MAX_WEIGHT_BYTES = 1.2e9;

/**
 * @param folder with `model.json`; its weight files lie in it or below, also where links lead.
 * @throws ModelError UNREADABLE, FORMAT, WEIGHTS
 */
export async function readArtifacts(folder: string): Promise<Artifacts> {
  const file = join(folder, MODEL);
  const { modelTopology, weightsManifest, generatedBy } = parseModel(await readModel(folder), file);
  const groups: string[][] = [];
  let total = 0;
  for (const { paths, weights } of weightsManifest) {
    for (const weight of weights) checkDtype(weight, file);
    const shards: string[] = [];
    let found = 0;
    for (const path of paths) {
      const { shard, bytes } = await measure(folder, path);
      shards.push(shard);
      found += bytes;
      total += bytes;
      if (total > MAX_WEIGHT_BYTES) {
        throw new ModelError(
          'WEIGHTS',
          `${shard} has ${bytes} bytes, and the weight files of the model ${total} up to it; the limit is ` +
            `${MAX_WEIGHT_BYTES} in all, so take a smaller model`,
        );
      }
    }
    const expected = weights.reduce((sum, weight) => sum + bytesOf(weight), 0);
    if (found !== expected) {
      throw new ModelError(
        'WEIGHTS',
        `${listed(shards)}: ${found} bytes in all, and the weights that ${file} lists for them are ${expected}; ` +
          'copy the files again, all from the same model',
      );
    }
    groups.push(shards);
  }
  const parts = await Promise.all(groups.flat().map((shard) => ofModel(readBytes(shard, MAX_WEIGHT_BYTES))));
  return {
    topology: modelTopology,
    generatedBy,
    specs: weightsManifest.flatMap(({ weights }) => weights) as unknown as tf.io.WeightsManifestEntry[],
    data: new Uint8Array(Buffer.concat(parts)).buffer,
  };
}

async function readModel(folder: string): Promise<string> {
  const file = join(folder, MODEL);
  if (!(await ofModel(isInside(folder, MODEL)))) throw outside(file, 'is a link to another folder');
  const bytes = await ofModel(readBytes(file, MAX_JSON_BYTES));
  return ofModel((async () => decodeText(bytes, file))());
}

/** @throws ModelError UNREADABLE, or FORMAT when the path leads out of the folder. */
async function measure(folder: string, path: string): Promise<{ shard: string; bytes: number }> {
  if (!(await ofModel(isInside(folder, path)))) {
    throw outside(
      join(folder, MODEL),
      `names the weight file ${quoteCell(path)}, which is not in its folder`,
    );
  }
  const shard = join(folder, path);
  const stats = await stat(shard);
  if (!stats.isFile()) throw new ModelError('UNREADABLE', `${shard} is not a file; ${WHAT_IT_IS}`);
  return { shard, bytes: stats.size };
}

const MODEL = 'model.json';
const WHAT_IT_IS = 'a model is a folder with model.json and the weight files that it names';

const outside = (file: string, problem: string): ModelError =>
  new ModelError('FORMAT', `${file} ${problem}; put the file itself there`);

/** Errors of files of data, as errors of a model. */
async function ofModel<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    const { reason, message } = cause;
    throw reason === 'UNREADABLE'
      ? new ModelError('UNREADABLE', `${message}; ${WHAT_IT_IS}`, { cause })
      : new ModelError('FORMAT', message, { cause });
  }
}

function parseModel(text: string, file: string): z.infer<typeof modelSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const why = printable((cause as Error).message);
    const number = /[:[,]\s*(-?Infinity|NaN)\s*[,\]}]/.exec(text)?.[1];
    throw new ModelError(
      'FORMAT',
      number === undefined
        ? `${file} is not JSON: ${why}; copy it again`
        : `${file} is not JSON: it has the number ${number}, which JSON does not have; save the model with a finite number there`,
      { cause },
    );
  }
  const parsed = modelSchema.safeParse(json);
  if (parsed.success && (parsed.data.format ?? 'layers-model') === 'layers-model') return parsed.data;
  const format = (json as { format?: unknown } | null)?.format;
  const why =
    parsed.success || (typeof format === 'string' && format !== 'layers-model')
      ? `its format is ${quoteCell(String(format))}`
      : listed(parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')));
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
