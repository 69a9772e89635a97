/** Models that a user brings: studies train them, and those that cannot be used are refused with what is wrong. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { initBackend } from '@glocal/trainer/backend';
import { saveLayersModel } from '@glocal/trainer/engine';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const cleanUp = new AsyncDisposableStack();
let trainer: TestTrainer;

beforeAll(async () => {
  const { path } = cleanUp.use(await temporaryFolder());
  await initBackend({ backend: 'cpu', log: () => {} });
  const model = sequential({
    layers: [
      layers.flatten({ inputShape: [28, 28, 1] }),
      layers.dense({ units: 8, activation: 'elu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
  await saveLayersModel(model, join(path, 'my-network'));
  await mkdir(join(path, 'broken'));
  await writeFile(join(path, 'broken/model.json'), '{}');
  trainer = cleanUp.use(await TestTrainer.start({ args: ['--model-dir', path] }));
});
afterAll(() => cleanUp.disposeAsync());

const studyOf = (model: string) => {
  const study = quickStudy();
  return { ...study, problem: { ...study.problem, model } };
};

describe("a model of the user's", () => {
  it('is in the catalogue and trains', async () => {
    const { models } = await trainer.client.problems();
    expect(models.find(({ id }) => id === 'my-network')).toMatchObject({
      parameters: 784 * 8 + 8 + 8 * 10 + 10,
    });
    const study = await trainer.client.studies.create(studyOf('my-network'));
    const { state, stateReason, best } = await study.result();
    expect({ state, stateReason }).toEqual({ state: 'COMPLETED', stateReason: '1 of 1 trials succeeded' });
    expect(best?.test?.loss).toBeLessThan(2.3);
  });

  it('that cannot be used is refused with what is wrong', async () => {
    const error = await rejection(trainer.client.studies.create(studyOf('broken')));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(
      /broken cannot be trained on fashion-mnist-10k: .*model\.json is not a tfjs LayersModel/,
    );
  });
});

it('a folder of models that does not exist stops the trainer with the name of the option', async () => {
  await expect(TestTrainer.start({ args: ['--model-dir', 'no-such-folder'] })).rejects.toThrow(
    /no-such-folder.*GLOCAL_MODEL_DIR/,
  );
});
