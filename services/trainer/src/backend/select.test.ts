import * as tf from '@tensorflow/tfjs-core';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { isNativeInstalled, TENSORFLOW_VERSION, TFJS_VERSION } from './native-runtime.ts';
import {
  type BackendName,
  checkTfjsVersion,
  chooseBackend,
  initBackend,
  installedBackends,
} from './select.ts';

const log = () => {};

/** Runs a module that may import `./select.ts`, in a process of its own. */
const runModule = (code: string, env: NodeJS.ProcessEnv = {}) =>
  execa(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    cwd: import.meta.dirname,
    env: { TF_ENABLE_ONEDNN_OPTS: undefined, TF_CPP_MIN_LOG_LEVEL: undefined, ...env },
    reject: false,
  });

describe('initBackend', () => {
  it('takes the native runtime where it is installed, else wasm, and says in one line what that costs', async () => {
    const lines: string[] = [];
    const info = await initBackend({ log: (line) => lines.push(line) });
    expect(info.name).toBe(isNativeInstalled() ? 'tensorflow' : 'wasm');
    expect(info).toEqual(chooseBackend());
    expect(tf.getBackend()).toBe(info.name);
    expect(lines).toEqual(
      isNativeInstalled() ? [] : [expect.stringMatching(/wasm, .* slower\. To change that: npm run setup$/)],
    );
  });

  it.each(installedBackends())('changes to %s, more than once, and computes there', async (backend) => {
    const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.square(x)));
    for (let i = 0; i < 2; i++) {
      await initBackend({ backend: 'cpu', log });
      expect((await initBackend({ backend, log })).name).toBe(backend);
      expect(tf.getBackend()).toBe(backend);
      expect([...(await gradient(tf.tensor1d([1, -2])).data())]).toEqual([2, -4]);
    }
  });

  it.each(installedBackends())('prints nothing when it loads %s and computes there', async (backend) => {
    const { stdout, stderr, exitCode } = await runModule(`
      import * as tf from '@tensorflow/tfjs-core';
      import { initBackend } from './select.ts';
      await initBackend({ backend: '${backend}', log: () => {} });
      const x = tf.randomNormal([2, 6, 6, 1]);
      tf.grad((f) => tf.sum(tf.conv2d(x, f, 1, 'same')))(tf.ones([3, 3, 1, 1])).dataSync();`);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: '', exitCode: 0 });
  });

  it('refuses another version of tfjs', () => {
    expect(() => checkTfjsVersion(TFJS_VERSION)).not.toThrow();
    expect(() => checkTfjsVersion('4.21.0')).toThrow(
      expect.objectContaining({ name: 'BackendError', reason: 'TFJS_VERSION' }),
    );
  });
});

const whereInstalled = isNativeInstalled() ? '' : ' (skipped: not installed here, npm run setup installs it)';

describe.skipIf(!isNativeInstalled())(`the native runtime${whereInstalled}`, () => {
  it('is the TensorFlow that it is said to be', async () => {
    expect(await initBackend({ backend: 'tensorflow', log })).toMatchObject({ version: TENSORFLOW_VERSION });
    const { binding } = tf.backend() as unknown as { binding: { TF_Version: string } };
    expect(binding.TF_Version).toBe(TENSORFLOW_VERSION);
  });

  it('uses oneDNN unless the user says otherwise', async () => {
    const program = `
      import { initBackend } from './select.ts';
      const { oneDnn, description } = await initBackend({ backend: 'tensorflow', log: () => {} });
      console.log(JSON.stringify({ oneDnn, description, variable: process.env.TF_ENABLE_ONEDNN_OPTS }));`;
    const byDefault = await runModule(program);
    expect(JSON.parse(byDefault.stdout)).toEqual({
      oneDnn: true,
      description: 'native TensorFlow 2.21 (oneDNN)',
      variable: '1',
    });
    const without = await runModule(program, { TF_ENABLE_ONEDNN_OPTS: '0' });
    expect(JSON.parse(without.stdout)).toEqual({
      oneDnn: false,
      description: 'native TensorFlow 2.21',
      variable: '0',
    });
  });

  it('rounds int32 tensors to themselves, and halves to even', async () => {
    await initBackend({ backend: 'tensorflow', log });
    expect([...tf.round(tf.tensor1d([3, -4, 0], 'int32')).dataSync()]).toEqual([3, -4, 0]);
    expect([...tf.round(tf.tensor1d([1.4, -2.6, 2.5])).dataSync()]).toEqual([1, -3, 2]);
  });

  it('differentiates convolution and pooling as the cpu backend does', async () => {
    const gradient = async (backend: BackendName) => {
      await initBackend({ backend, log });
      const x = tf.randomNormal<tf.Rank.R4>([2, 6, 6, 2], 0, 1, 'float32', 1);
      const convolved = (filter: tf.Tensor) => tf.conv2d(x, filter as tf.Tensor4D, 1, 'same');
      const loss = (filter: tf.Tensor) => tf.sum(tf.square(tf.maxPool(convolved(filter), 2, 2, 'valid')));
      return tf
        .grad(loss)(tf.randomNormal([3, 3, 2, 4], 0, 1, 'float32', 2))
        .data();
    };
    const found = await gradient('tensorflow');
    const reference = await gradient('cpu');
    const scale = Math.max(...reference.map(Math.abs));
    const worst = Math.max(...found.map((value, i) => Math.abs(value - (reference[i] ?? Number.NaN))));
    expect(worst / scale).toBeLessThan(1e-5);
  });
});
