/** tfjs's layers from a model's topology. */

import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { printable } from '../../resource/quote.ts';
import { ModelError } from '../errors.ts';
import { registerKerasLayers } from './keras-layers.ts';

/**
 * Builds the layers. Weights start at zero: they come from files.
 * @param modelTopology checked, by `readConfiguration`.
 * @param where for messages, the file.
 * @throws ModelError UNKNOWN_LAYER, FORMAT
 */
export async function buildLayers(
  modelTopology: Readonly<Record<string, unknown>>,
  where: string,
): Promise<LayersModel> {
  registerKerasLayers();
  try {
    return await loadLayersModel({ load: async () => ({ modelTopology: structuredClone(modelTopology) }) });
  } catch (cause) {
    const why = printable((cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '');
    const [, what, name] = /^Unknown (\w+): ([^.]+)\./.exec(why) ?? [];
    if (name !== undefined) {
      throw new ModelError(
        'UNKNOWN_LAYER',
        `${where}: tfjs has no ${what} "${name}"; write the model with layers of tfjs, or in code (docs/models.md)`,
        { cause },
      );
    }
    throw new ModelError(
      'FORMAT',
      `${where}: its layers do not fit together: ${why}; check it by loading it with tf.loadLayersModel, and save it again`,
      { cause },
    );
  }
}
