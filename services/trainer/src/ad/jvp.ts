/** Directional derivatives of tfjs functions: forward mode, and forward over reverse (docs/method.md, section 3). */

import * as tf from '@tensorflow/tfjs-core';
import { currentBackend, handOver, gradients as reverse, withBackend } from './engine.ts';
import { DifferentiationError } from './errors.ts';
import './ops/gradients.ts';
import type { Dual, VirtualBackend } from './virtual-backend.ts';
import { virtualBackend } from './virtual-kernels.ts';

/** q directions for one tensor, shape `[q, ...shape of the tensor]`, float32; null is zero. */
export type Directions = tf.Tensor | null;

/** Tensors besides the parameters that have tangents, but no gradient is wanted of. */
export interface DualInputs {
  readonly values: readonly tf.Tensor[];
  readonly tangents: readonly Directions[];
}

/** Answer of {@link gradJvp}; all tensors are float32 and the caller's. */
export interface GradJvp {
  /** The loss, a scalar. */
  readonly value: tf.Scalar;
  /** Its directional derivatives, `[q]`. */
  readonly valueTangents: tf.Tensor1D;
  /** Its gradient with respect to each parameter, of the parameter's shape. */
  readonly gradients: tf.Tensor[];
  /** Directional derivatives of each gradient, `[q, ...shape of the parameter]`. */
  readonly gradientTangents: tf.Tensor[];
}

/**
 * Gradient of a loss, and its derivatives along q directions: with u_k the k-th direction and H the Hessian, the k-th rows
 * of the gradients' tangents together are H·u_k, plus the mixed second derivatives times the directions of `inputs`.
 * Exact up to rounding, by forward mode over reverse mode; the cost is about 1 + 2q gradients.
 *
 * @param loss ordinary `tf.*` code. It gets tensors to use in place of `parameters` and `inputs.values`; whatever else it
 *   uses is a constant. It must be synchronous, and must not keep or dispose what it gets. Values that it reads with
 *   `dataSync` count as constants, as with `tf.grad`.
 * @param parameters float32; stay the caller's.
 * @param tangents one for each parameter; stay the caller's. At least one here or in `inputs` is not null.
 * @param inputs further tensors with directions, for instance hyperparameters.
 * @throws DifferentiationError when shapes or dtypes do not fit, the loss is not a scalar or depends on no parameter, or a
 *   kernel has no JVP rule. Nothing stays behind then.
 */
export function gradJvp(
  loss: (parameters: tf.Tensor[], inputs: tf.Tensor[]) => tf.Scalar,
  parameters: readonly tf.Tensor[],
  tangents: readonly Directions[],
  inputs: DualInputs = { values: [], tangents: [] },
): GradJvp {
  const q = countDirections([
    { what: 'parameter', values: parameters, tangents },
    { what: 'input', values: inputs.values, tangents: inputs.tangents },
  ]);
  return onDuals(
    (backend) => {
      const dualParameters = lendAll(backend, parameters, tangents);
      const dualInputs = lendAll(backend, inputs.values, inputs.tangents);
      const { value, grads } = reverse(() => checkedLoss(loss(dualParameters, dualInputs)), dualParameters);
      if (grads.every((grad) => grad === undefined)) {
        throw new DifferentiationError(
          'LOSS_INDEPENDENT',
          'the loss does not depend on any of the parameters; compute it from the tensors that the loss is given',
        );
      }
      const releaseOrZero = (tensor: tf.Tensor | undefined, shape: number[]): Required<Dual> => {
        const { primal, tangent } = tensor
          ? backend.release(tensor)
          : { primal: undefined, tangent: undefined };
        return {
          primal: primal ?? keptZeros(backend, shape),
          tangent: tangent ?? keptZeros(backend, [q, ...shape]),
        };
      };
      const valueDual = releaseOrZero(value, []);
      const duals = parameters.map(({ shape }, i) => releaseOrZero(grads[i], shape));
      return {
        value: valueDual.primal as tf.Scalar,
        valueTangents: valueDual.tangent as tf.Tensor1D,
        gradients: duals.map(({ primal }) => primal),
        gradientTangents: duals.map(({ tangent }) => tangent as tf.Tensor),
      };
    },
    (result) => [result.value, result.valueTangents, ...result.gradients, ...result.gradientTangents],
  );
}

/** Answer of {@link hessianVectorProduct}; all tensors are the caller's. */
export interface HessianVectorProduct {
  readonly value: tf.Scalar;
  readonly gradients: tf.Tensor[];
  /** H·u, each of its parameter's shape. */
  readonly products: tf.Tensor[];
}

/**
 * Gradient of a loss and the product of its Hessian with one vector u, at about three times a gradient's cost.
 * @param loss as for {@link gradJvp}.
 * @param vector u, a tensor of the parameter's shape for each parameter.
 * @throws DifferentiationError as {@link gradJvp}.
 */
export function hessianVectorProduct(
  loss: (parameters: tf.Tensor[]) => tf.Scalar,
  parameters: readonly tf.Tensor[],
  vector: readonly tf.Tensor[],
): HessianVectorProduct {
  return tf.tidy(() => {
    const directions = vector.map((part) => tf.expandDims(part, 0));
    const { value, gradients, gradientTangents } = gradJvp(loss, parameters, directions);
    const products = gradientTangents.map((tangent, i) => tf.reshape(tangent, parameters[i]?.shape ?? []));
    // A plain object of tensors is a container that the scope hands over.
    return { value, gradients, products } as unknown as tf.TensorContainer;
  }) as unknown as HessianVectorProduct;
}

/** Answer of {@link jvp}; both tensors are the caller's. */
export interface Jvp {
  readonly value: tf.Tensor;
  /** Directional derivatives, `[q, ...shape of the value]`. */
  readonly tangents: tf.Tensor;
}

/**
 * Value of a function and its derivatives along q directions, by forward mode.
 * @param f as `loss` of {@link gradJvp}, but its value may have any shape.
 * @throws DifferentiationError as {@link gradJvp}.
 */
export function jvp(
  f: (inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  tangents: readonly Directions[],
): Jvp {
  const q = countDirections([{ what: 'input', values: inputs, tangents }]);
  return onDuals(
    (backend) => {
      const { primal, tangent } = backend.release(f(lendAll(backend, inputs, tangents)));
      return { value: primal, tangents: tangent ?? keptZeros(backend, [q, ...primal.shape]) };
    },
    (result) => [result.value, result.tangents],
  );
}

/** Runs on the virtual backend over the one in use, and hands the results over to the caller's scope. */
function onDuals<T>(run: (backend: VirtualBackend) => T, resultsOf: (result: T) => tf.Tensor[]): T {
  const backend = virtualBackend(currentBackend());
  let result: { readonly is: T } | undefined;
  withBackend(backend.name, () => {
    tf.tidy(() => {
      result = { is: run(backend) };
    });
  });
  const { is } = result as unknown as { readonly is: T };
  for (const tensor of resultsOf(is)) handOver(tensor);
  return is;
}

function lendAll(
  backend: VirtualBackend,
  values: readonly tf.Tensor[],
  tangents: readonly Directions[],
): tf.Tensor[] {
  return values.map((value, i) => backend.lend(value, tangents[i] ?? undefined));
}

function keptZeros(backend: VirtualBackend, shape: number[]): tf.Tensor {
  return withBackend(backend.underlying, () => tf.keep(tf.zeros(shape)));
}

interface Group {
  readonly what: string;
  readonly values: readonly tf.Tensor[];
  readonly tangents: readonly Directions[];
}

/** Checks shapes and dtypes, and answers with q. */
function countDirections(groups: readonly Group[]): number {
  let q: number | undefined;
  for (const { what, values, tangents } of groups) {
    if (values.length !== tangents.length) {
      throw mismatch(`${values.length} ${what}s have ${tangents.length} tangents; give null for a zero one`);
    }
    values.forEach((value, i) => {
      const tangent = tangents[i] ?? null;
      if (value.dtype !== 'float32' && (what === 'parameter' || tangent !== null)) {
        throw new DifferentiationError(
          'PARAMETER_DTYPE',
          `${what} ${i} has dtype ${value.dtype}; only float32 can be differentiated`,
        );
      }
      if (tangent === null) return;
      const [directions, ...shape] = tangent.shape;
      if (
        tangent.dtype !== 'float32' ||
        directions === undefined ||
        !tf.util.arraysEqual(shape, value.shape)
      ) {
        throw mismatch(
          `the tangents of ${what} ${i} are ${tangent.dtype} of shape [${tangent.shape}]; ` +
            `they must be float32 of shape [${['q', ...value.shape]}]`,
        );
      }
      q ??= directions;
      if (directions !== q) throw mismatch(`${what} ${i} has ${directions} tangents where others have ${q}`);
    });
  }
  if (q === undefined || q < 1) throw mismatch('there is no tangent; for the gradient alone use tf.grads');
  return q;
}

const mismatch = (message: string): DifferentiationError =>
  new DifferentiationError('TANGENT_MISMATCH', message);

function checkedLoss(value: unknown): tf.Scalar {
  if (!(value instanceof tf.Tensor)) {
    throw new DifferentiationError(
      'LOSS_NOT_SCALAR',
      'the loss is not a tensor; it must return one, not a promise',
    );
  }
  if (value.rank !== 0 || value.dtype !== 'float32') {
    throw new DifferentiationError(
      'LOSS_NOT_SCALAR',
      `the loss is ${value.dtype} of shape [${value.shape}]; it must be a float32 scalar, for instance a mean`,
    );
  }
  return value as tf.Scalar;
}
