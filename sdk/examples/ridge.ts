/**
 * Ridge regression with a training loop of its own: Glocal moves the penalty `lambda` while the weights are trained.
 *
 * A curve is measured twice at the same points, with noise: once for training, once for validation. The weights of eight cosines are
 * fitted to the first measurement by gradient descent on
 *
 *   1/(2n) ‖Xw − y‖² + lambda/2 ‖w‖²
 *
 * and `lambda` is to be what makes them fit the second one best. As XᵀX/n is the identity, that is known in closed form.
 *
 * Run it with `node sdk/examples/ridge.ts` beside a trainer (`npm run trainer`). Lost connections are made again. Its weights are in no
 * file: a program that has to outlive itself keeps them, and names its study with a `requestId`, as drive.ts does.
 */

import { float, GlocalClient, space } from '@glocal/sdk';

const POINTS = 64;
const FEATURES = 8;
const STEPS = 2_000;
const LEARNING_RATE = 0.1;

/** Numbers between −1 and 1 that look random, and are the same everywhere. */
const noise = (i: number): number => {
  const x = Math.sin(12.9898 * i) * 43_758.5453;
  return 2 * (x - Math.floor(x)) - 1;
};
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

const points = range(POINTS).map((i) => (i + 0.5) / POINTS);
const features = points.map((t) => range(FEATURES).map((j) => Math.SQRT2 * Math.cos(Math.PI * (j + 1) * t)));
const curve = points.map((t) => t * (1 - t) * Math.cos(9 * t));
const measure = (first: number): number[] => curve.map((value, i) => value + 0.4 * noise(first + i));
const training = measure(1);
const validation = measure(1_001);

/** Gradient of 1/(2n) ‖Xw − y‖² by w. */
function gradient(w: readonly number[], y: readonly number[]): number[] {
  const residuals = features.map((x, i) => dot(x, w) - (y[i] ?? 0));
  return range(FEATURES).map(
    (j) => features.reduce((sum, x, i) => sum + (x[j] ?? 0) * (residuals[i] ?? 0), 0) / POINTS,
  );
}

/** Half of the mean squared error. */
const loss = (w: readonly number[], y: readonly number[]): number =>
  features.reduce((sum, x, i) => sum + (dot(x, w) - (y[i] ?? 0)) ** 2, 0) / (2 * POINTS);

/** The weights, and their derivative by `lambda`, which is trained along with them (forward mode). */
let w = range(FEATURES).map(() => 0);
let dw = range(FEATURES).map(() => 0);

function trainOneStep(lambda: number): void {
  const g = gradient(w, training);
  // The Hessian of the first term is the identity, as XᵀX/n is; in general it is a product with XᵀX/n.
  const next = w.map((value, j) => value - LEARNING_RATE * ((g[j] ?? 0) + lambda * value));
  dw = dw.map((value, j) => value - LEARNING_RATE * (value + lambda * value + (w[j] ?? 0)));
  w = next;
}

await using client = await GlocalClient.connect();
await using loop = await client.external({
  displayName: 'ridge regression',
  space: space({ lambda: float({ min: 1e-3, max: 10, init: 0.01, scale: 'log' }) }),
  steps: STEPS,
  window: 50,
  sigma: 12,
});

for (let step = loop.nextStep; step < STEPS; step++) {
  trainOneStep(loop.values.lambda);
  if (!loop.wants(step)) continue;
  const outerStep = await loop.report(step, [dot(gradient(w, validation), dw)]);
  if (outerStep === undefined) continue;
  const { lambda } = outerStep.nextValues;
  console.log(
    `step ${step + 1}: validation ${loss(w, validation).toFixed(5)}, lambda → ${lambda.toFixed(4)}`,
  );
  // A new window begins with no sensitivity, as its value is another one.
  dw = dw.map(() => 0);
}

const zero = range(FEATURES).map(() => 0);
const [b, v] = [training, validation].map((y) => gradient(zero, y).map((value) => -value));
const best = dot(b ?? [], b ?? []) / dot(b ?? [], v ?? []) - 1;
console.log(`lambda ${loop.values.lambda.toFixed(4)}, in closed form ${best.toFixed(4)}`);
