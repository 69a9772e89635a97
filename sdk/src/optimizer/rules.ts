/** First-order rules: from a gradient, and those before it, to the point that it leads to. Pure. */

import { type AdamState, adamUpdate, initialAdam } from '@glocal/trainer/outer';

/** Entries of vectors by component. */
export type Vector = readonly number[];

/** How a gradient moves a point. Its moments are plain data. */
export interface Rule<Moments = unknown> {
  readonly name: string;
  /** Before the first move. */
  initial(components: number): Moments;
  /** One step down the gradient; every entry finite. */
  move(point: Vector, gradient: Vector, moments: Moments, rate: number): { point: Vector; moments: Moments };
}

/** Options of Adam. */
export interface AdamDecays {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** The server's {@link AdamState} as plain data. */
interface AdamMoments {
  /** Moves so far. */
  readonly count: number;
  readonly mean: Vector;
  readonly square: Vector;
}

/** The server's own (docs/method.md, section 7). */
export const adamRule = (decays: AdamDecays): Rule<AdamMoments> => ({
  name: 'adam',
  initial: (components) => plain(initialAdam(components)),
  move(point, gradient, { count, mean, square }, rate) {
    const before = { count, mean: Float64Array.from(mean), square: Float64Array.from(square) };
    const moved = adamUpdate(Float64Array.from(point), Float64Array.from(gradient), before, {
      ...decays,
      rate,
    });
    return { point: [...moved.point], moments: plain(moved.state) };
  },
});

const plain = ({ count, mean, square }: AdamState): AdamMoments => ({
  count,
  mean: [...mean],
  square: [...square],
});

/** v' = momentum · v + g; φ' = φ − rate · v', or with Nesterov's − rate · (g + momentum · v'). */
export const sgdRule = (momentum: number, nesterov: boolean): Rule<{ readonly velocity: Vector }> => ({
  name: 'sgd',
  initial: (components) => ({ velocity: zeros(components) }),
  move(point, gradient, moments, rate) {
    const velocity = moments.velocity.map((v, k) => momentum * v + at(gradient, k));
    const moved = point.map((phi, k) => {
      const v = at(velocity, k);
      return phi - rate * (nesterov ? at(gradient, k) + momentum * v : v);
    });
    return { point: moved, moments: { velocity } };
  },
});

interface RmsPropMoments {
  readonly square: Vector;
  readonly velocity: Vector;
}

/** s' = decay · s + (1 − decay) g²; u' = momentum · u + g / (√s' + ε); φ' = φ − rate · u' (Tieleman & Hinton 2012). */
export const rmsPropRule = (decay: number, momentum: number, epsilon: number): Rule<RmsPropMoments> => ({
  name: 'rmsProp',
  initial: (components) => ({ square: zeros(components), velocity: zeros(components) }),
  move(point, gradient, moments, rate) {
    const square = moments.square.map((s, k) => decay * s + (1 - decay) * at(gradient, k) ** 2);
    const velocity = moments.velocity.map(
      (u, k) => momentum * u + at(gradient, k) / (Math.sqrt(at(square, k)) + epsilon),
    );
    const moved = point.map((phi, k) => phi - rate * at(velocity, k));
    return { point: moved, moments: { square, velocity } };
  },
});

const zeros = (count: number): Vector => Array(count).fill(0);
const at = (vector: Vector, k: number): number => vector[k] ?? 0;
