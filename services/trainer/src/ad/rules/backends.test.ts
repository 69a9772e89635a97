/** Kernels on the fast backends give what they give on the cpu backend. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { initBackend, installedBackends } from '../../backend/select.ts';
import { runKernel } from '../engine.ts';
import { jvp } from '../jvp.ts';
import { registerPrimitives } from '../ops/primitives.ts';
import { CASES } from './all.cases.ts';
import { type Call, made, type RuleCase, seeds } from './rule-case.ts';

const fast = installedBackends().filter((backend) => backend !== 'cpu');

describe.each(fast)('on backend %s', (backend) => {
  beforeAll(async () => {
    for (const name of ['cpu', backend] as const) {
      await initBackend({ backend: name, log: () => {} });
      registerPrimitives(name);
    }
  });

  const on = async (name: string, kernel: string, call: Call): Promise<number[]> => {
    await tf.setBackend(name);
    return tf.tidy(() => {
      const result = runKernel<tf.Tensor | tf.Tensor[]>(kernel, call.inputs(), call.attributes);
      // What max pooling chose has a form of each backend's own.
      const outputs = kernel.endsWith('MaxPool2x2') ? [result].flat().slice(0, 1) : [result].flat();
      return outputs.flatMap((output) => [...output.dataSync()]);
    });
  };

  it.for(Object.keys(CASES))('%s gives what it gives on cpu', async (kernel, { skip }) => {
    const { calls, defects, cpuDefect } = CASES[kernel] as RuleCase;
    skip(tf.getKernel(kernel, backend) === undefined, `${backend} does not have this kernel`);
    skip(cpuDefect !== undefined, `on cpu it ${cpuDefect}`);
    for (const name of ['cpu', backend]) skip(defects?.[name] !== undefined, defects?.[name]);
    await fc.assert(
      fc.asyncProperty(calls, async (call) => {
        const expected = await on('cpu', kernel, call);
        const found = await on(backend, kernel, call);
        expect(found.length).toBe(expected.length);
        const scale = Math.max(1, ...expected.map(Math.abs));
        const error = Math.max(0, ...found.map((x, i) => Math.abs(x - (expected[i] ?? Number.NaN)) / scale));
        expect(error).toBeLessThan(1e-5);
      }),
      { numRuns: 30 },
    );
  });

  /** Of the kernels that the cpu backend gets wrong. */
  it.each([
    ['AvgPoolGrad', 'AvgPool'],
    ['AvgPool3DGrad', 'AvgPool3D'],
    ['MaxPool3DGrad', 'MaxPool3D'],
  ])('%s is the adjoint of the derivative of %s', async (kernel, pooling) => {
    await tf.setBackend(backend);
    fc.assert(
      fc.property((CASES[kernel] as RuleCase).calls, seeds, (call, seed) => {
        const difference = tf.tidy(() => {
          const { input, dy, output } = call.inputs() as Record<string, tf.Tensor>;
          const [x, gradient] = [input as tf.Tensor, dy as tf.Tensor];
          const direction = made(x.shape, seed, (u) => 2 * u - 1);
          const attributes = { ...call.attributes, dataFormat: x.rank === 5 ? 'NDHWC' : 'NHWC' };
          const pool = ([t]: tf.Tensor[]) => runKernel(pooling, { x: t as tf.Tensor }, attributes);
          const { tangents } = jvp(pool, [x], [tf.expandDims(direction, 0)]);
          const inputs = { dy: gradient, input: x, ...(output && { output }) };
          const back = runKernel(kernel, inputs, call.attributes);
          const [left, right] = [
            tf.sum(tf.mul(tf.squeeze(tangents, [0]), gradient)),
            tf.sum(tf.mul(direction, back)),
          ];
          return tf.sub(left, right).dataSync()[0] as number;
        });
        expect(Math.abs(difference)).toBeLessThan(1e-3);
      }),
      { numRuns: 50 },
    );
  });
});
