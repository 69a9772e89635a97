/** The kernels of a virtual backend: the underlying kernel on the primals, its JVP rule on the tangents. */

import * as tf from '@tensorflow/tfjs-core';
import { addBackend, alias, runKernel, withBackend } from './engine.ts';
import { DifferentiationError, MissingRuleError } from './errors.ts';
import { registerPrimitives } from './ops/primitives.ts';
import type { KernelCall, Rule, Tangent } from './rules/rule.ts';
import { CONSTANT_KERNELS, RULES } from './rules/table.ts';
import { nameOn, VirtualBackend } from './virtual-backend.ts';

/** The virtual backend over a backend, with a kernel for each kernel that the latter has by now. */
export function virtualBackend(underlying: string): VirtualBackend {
  registerPrimitives(underlying);
  const name = nameOn(underlying);
  let backend = tf.findBackend(name) as VirtualBackend | null;
  if (backend === null) {
    backend = new VirtualBackend(underlying);
    addBackend(name, backend);
  }
  for (const { kernelName } of tf.getKernelsForBackend(underlying)) {
    if (tf.getKernel(kernelName, name) !== undefined) continue;
    const kernelFunc = kernelName === 'Identity' ? identity(backend) : virtualKernel(backend, kernelName);
    tf.registerKernel({ kernelName, backendName: name, kernelFunc });
  }
  return backend;
}

type Inputs = Parameters<tf.KernelFunc>[0]['inputs'];

/** A second reference to the same virtual data, tangents included. */
function identity(backend: VirtualBackend): tf.KernelFunc {
  return ({ inputs }) => {
    const { x } = inputs as { x: tf.Tensor };
    if (!backend.has(x)) {
      return backend.own(
        withBackend(backend.underlying, () => runKernel('Identity', { x })),
        undefined,
      );
    }
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  };
}

function virtualKernel(backend: VirtualBackend, kernel: string): tf.KernelFunc {
  const rule = RULES[kernel];
  return ({ inputs, attrs = {} }) => {
    const { primals, tangents, q } = resolveAll(backend, inputs);
    // Assigned, not returned from the scope: tfjs would search the records for tensors.
    let data: tf.TensorInfo | tf.TensorInfo[] = [];
    withBackend(backend.underlying, () => {
      tf.tidy(() => {
        const result = runKernel<tf.Tensor | tf.Tensor[]>(kernel, primals, attrs);
        const outputs = Array.isArray(result) ? result : [result];
        const call = {
          primals,
          tangents,
          output: outputs[0] as tf.Tensor,
          outputs,
          q,
          attributes: attrs,
        };
        const derived = q > 0 ? outputTangents(kernel, rule, call) : [];
        const own = ownTensors(Object.values(primals), Object.values(tangents));
        const owned = outputs.map((output, i) => backend.own(own(output), own(derived[i])));
        data = Array.isArray(result) ? owned : (owned[0] as tf.TensorInfo);
      });
    });
    return data;
  };
}

/** Splits a kernel's inputs (an object, or for some kernels a list) into primals and tangents. */
function resolveAll(backend: VirtualBackend, inputs: Inputs) {
  const primals = (Array.isArray(inputs) ? [] : {}) as Record<string, tf.Tensor>;
  const tangents = (Array.isArray(inputs) ? [] : {}) as Record<string, Tangent>;
  let q = 0;
  for (const [key, tensor] of Object.entries(inputs)) {
    if (tensor === undefined || tensor === null) continue;
    const { primal, tangent } = backend.resolve(tensor);
    primals[key] = primal;
    tangents[key] = tangent;
    q = tangent?.shape[0] ?? q;
  }
  return { primals, tangents, q };
}

function outputTangents(kernel: string, rule: Rule | undefined, call: KernelCall): readonly Tangent[] {
  const { outputs, q } = call;
  if (CONSTANT_KERNELS.has(kernel) || outputs.every(isDiscrete)) return [];
  if (rule === undefined) throw new MissingRuleError(kernel);
  const answer = rule(call);
  const tangents: readonly Tangent[] = Array.isArray(answer) ? answer : [answer as Tangent];
  outputs.forEach(({ shape }, i) => {
    const tangent = tangents[i];
    if (tangent !== undefined && !tf.util.arraysEqual(tangent.shape, [q, ...shape])) {
      throw new DifferentiationError(
        'TANGENT_MISMATCH',
        `the rule of kernel ${kernel} made tangents of shape [${tangent.shape}] for an output of shape [${shape}]`,
      );
    }
  });
  return tangents;
}

/** Not differentiable: a tangent cannot pass. (A complex output can carry one, and then needs a rule.) */
const isDiscrete = ({ dtype }: tf.Tensor): boolean =>
  dtype === 'bool' || dtype === 'int32' || dtype === 'string';

/** Each record owns its tensors alone: a tensor that is an input's, or was owned before, is aliased. */
function ownTensors(...theirs: readonly (readonly Tangent[])[]) {
  const taken = new Set<Tangent>(theirs.flat());
  return <T extends Tangent>(tensor: T): T => {
    if (tensor === undefined) return tensor;
    const ours = taken.has(tensor) ? (alias(tensor) as T) : tensor;
    taken.add(ours);
    return ours;
  };
}
