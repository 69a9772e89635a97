/** What measures the engine: kernels that models need and rules that there are, and reference hypergradients. */

export { registerPrimitives } from '../ad/ops/primitives.ts';
export { neededKernels, passes } from '../ad/rules/coverage.ts';
export { hypergradientFixtureError } from '../hyper/reference.ts';
