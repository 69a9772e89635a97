import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { initBackend, installedBackends } from '../backend/select.ts';
import { hypergradientFixtureError } from './reference.ts';

const folder = fileURLToPath(new URL('../../fixtures', import.meta.url));
const fast = installedBackends().filter((backend) => backend !== 'cpu');

describe.each(fast)('on backend %s', (backend) => {
  beforeAll(() => initBackend({ backend, log: () => {} }));

  it.each(['float32', 'float64', 'reverse'] as const)(
    'hypergradients of LeNet agree with the reference over five steps: %s',
    async (against) => {
      const before = tf.memory().numTensors;
      expect(await hypergradientFixtureError(folder, against)).toBeLessThanOrEqual(1e-4);
      expect(tf.memory().numTensors).toBe(before);
    },
  );
});

it('says which file is missing', async () => {
  await expect(hypergradientFixtureError('/nowhere')).rejects.toThrow(/nowhere.*hyper\.json/);
});
