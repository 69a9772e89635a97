/** Saves a LayersModel as a folder that `loadLayersModel` reads: Node has no handler for files without tfjs-node's. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

const WEIGHTS = 'weights.bin';

/** Writes `model.json` and `weights.bin`; makes the folder. */
export async function saveLayersModel(model: LayersModel, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      const { modelTopology, weightSpecs: weights = [], weightData = [] } = artifacts;
      const weightsManifest = [{ paths: [WEIGHTS], weights }];
      const json = { format: 'layers-model', modelTopology, weightsManifest };
      const bytes = tf.io.concatenateArrayBuffers(Array.isArray(weightData) ? weightData : [weightData]);
      await writeFile(join(folder, WEIGHTS), new Uint8Array(bytes));
      await writeFile(join(folder, 'model.json'), JSON.stringify(json));
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
}
