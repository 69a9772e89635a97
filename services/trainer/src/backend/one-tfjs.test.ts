/** tfjs keeps its engine, kernels and gradients in its core package: two copies of it would not see each other. */

import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { TFJS_VERSION } from './native-runtime.ts';

const require = createRequire(import.meta.url);
const core = (from: NodeJS.Require): string =>
  realpathSync(from.resolve('@tensorflow/tfjs-core/package.json'));

/** Of each package of tfjs, the `require` that its own files use. */
const tfjs = require.resolve('@tensorflow/tfjs/package.json');
const packages = [
  'tfjs',
  'tfjs-node',
  'tfjs-backend-cpu',
  'tfjs-backend-wasm',
  'tfjs-backend-webgl',
  'tfjs-converter',
  'tfjs-data',
  'tfjs-layers',
].map((name): [string, string] => {
  const from = require.resolve(`@tensorflow/${name}/package.json`, { paths: [import.meta.dirname, tfjs] });
  return [name, from];
});

describe('there is one tfjs-core', () => {
  it.each(packages)('and %s, of the same version, uses it', (_, manifest) => {
    expect((require(manifest) as { version: string }).version).toBe(TFJS_VERSION);
    expect(core(createRequire(manifest))).toBe(core(require));
  });

  it('whether it is imported or required', () => {
    const required = require('@tensorflow/tfjs-core') as typeof tf;
    expect(required.engine()).toBe(tf.engine());
    expect(required.Tensor).toBe(tf.Tensor);
    expect(required.version_core).toBe(TFJS_VERSION);
  });
});
