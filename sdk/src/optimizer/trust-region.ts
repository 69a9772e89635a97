/**
 * A limit for the length of moves, which shrinks and grows by how well they do (Nocedal & Wright 2006, Algorithm 4.1; the
 * model is linear).
 *
 * A move Δ from a window with hypergradient g and validation loss L predicts that the loss falls by −g·Δ. The next window
 * reports L', and the agreement is r = (L − L') / (−g·Δ):
 *
 *   r < 1/4                   radius ← ‖Δ‖ / 4
 *   r > 3/4 and ‖Δ‖ = radius  radius ← min(2 · radius, maxRadius)
 *   otherwise                 radius stays
 *
 * Lengths are in unconstrained coordinates. Training lowers the loss by itself, too, which r does not tell from the effect of
 * the move: it errs towards longer moves, and what it guards against are moves after which the loss rises or stalls.
 */

import { MAX_RADIUS, trustRegionOptions, windowOptimizer } from '../check/optimizers.ts';
import { check } from '../check/rule.ts';
import type { DrivenWindow } from '../driven-window.ts';
import type { ParameterMap } from '../space.ts';
import type { NewValues } from '../space-values.ts';
import { norm } from './clip.ts';
import { Memory } from './memory.ts';
import type { SavableOptimizer, WindowOptimizer } from './optimizer.ts';

/** Options of `trustRegion()`. Lengths are in unconstrained coordinates. */
export interface TrustRegionOptions {
  /** Length that the first move may have: at most `maxRadius`. @default 0.5, or `maxRadius` where that is less */
  readonly radius?: number | undefined;
  /** Length that no move exceeds. @default 2 */
  readonly maxRadius?: number | undefined;
  /** The validation loss of a window. @default `window.validation.loss`, that of the last iterate */
  readonly loss?: ((window: DrivenWindow) => number) | undefined;
}

const SHRINK_BELOW = 1 / 4;
const SHRINK_TO = 1 / 4;
const GROW_ABOVE = 3 / 4;
const GROW_BY = 2;
/** A move of the radius' length has it up to rounding. */
const ROUNDING = 1e-9;

/** A move whose effect the next window tells. */
interface Move {
  /** Validation loss that it started from. */
  readonly loss: number;
  /** How much of it was predicted to go. */
  readonly predicted: number;
  readonly length: number;
}

interface State {
  readonly radius: number;
  readonly last?: Move;
}

/** As it is kept, with the optimizer inside. */
interface Kept {
  readonly region: unknown;
  readonly inner: unknown;
}

/**
 * Keeps the moves of an optimizer within a radius that follows the reported validation loss: a quarter of a move that lowered the loss
 * by less than a quarter of what its hypergradient predicted, twice the radius after one of full length that reached three quarters.
 */
export function trustRegion(optimizer: SavableOptimizer, options?: TrustRegionOptions): SavableOptimizer;
export function trustRegion<P extends ParameterMap>(
  optimizer: WindowOptimizer<P>,
  options?: TrustRegionOptions,
): Required<WindowOptimizer<P>>;
export function trustRegion<P extends ParameterMap>(
  optimizer: WindowOptimizer<P>,
  options: TrustRegionOptions = {},
): Required<WindowOptimizer<P>> {
  check([windowOptimizer, optimizer, 'optimizer'], [trustRegionOptions, options, 'options']);
  return new TrustRegion(optimizer, options);
}

class TrustRegion<P extends ParameterMap> implements Required<WindowOptimizer<P>> {
  readonly #inner: WindowOptimizer<P>;
  readonly #maxRadius: number;
  readonly #loss: (window: DrivenWindow) => number;
  readonly #memory: Memory<State>;

  constructor(inner: WindowOptimizer<P>, { radius = 0.5, maxRadius = MAX_RADIUS, loss }: TrustRegionOptions) {
    this.#inner = inner;
    this.#maxRadius = maxRadius;
    this.#loss = loss ?? (({ validation }) => validation.loss);
    this.#memory = new Memory<State>('trustRegion', { radius: Math.min(radius, maxRadius) });
  }

  next(window: DrivenWindow<P>): NewValues<P> {
    const before = this.#memory.at(window.index);
    const proposed = this.#inner.next(window);
    const goesBack = window.givesUp || window.update?.rolledBack === true;
    // A function that is for any window is for this one.
    const loss = goesBack ? Number.POSITIVE_INFINITY : this.#loss(window as unknown as DrivenWindow);
    const radius = this.#radiusAfter(before, loss);
    if (goesBack) {
      // What was made of it leads back to a smaller move, which is not to be cut short on its way.
      this.#memory.advance(window.index, { radius });
      return proposed;
    }
    const from = window.pointOf();
    const to = window.pointOf(proposed);
    const wished = to.map((phi, k) => phi - (from[k] ?? 0));
    const length = norm(wished);
    const share = length > radius ? radius / length : 1;
    const { hypergradient = [] } = window.update ?? {};
    const predicted = -share * wished.reduce((sum, delta, k) => sum + delta * (hypergradient[k] ?? 0), 0);
    const last = { loss, predicted, length: Math.min(length, radius) };
    this.#memory.advance(window.index, Number.isFinite(loss) ? { radius, last } : { radius });
    return share === 1 ? proposed : window.valuesAt(from.map((phi, k) => phi + share * (wished[k] ?? 0)));
  }

  toJSON(): unknown {
    return { region: this.#memory.toJSON(), inner: this.#inner.toJSON?.() ?? null } satisfies Kept;
  }

  restore(saved: unknown): void {
    const { region, inner } = Object(saved) as Partial<Kept>;
    this.#memory.restore(region);
    this.#inner.restore?.(inner);
  }

  #radiusAfter({ radius, last }: State, loss: number): number {
    // A move that was not to lower the loss, as that of a momentum may be, says nothing about the model.
    if (last === undefined || last.predicted <= 0) return radius;
    const agreement = (last.loss - loss) / last.predicted;
    // Also where the loss is not a number.
    if (!(agreement >= SHRINK_BELOW)) return last.length * SHRINK_TO;
    const isFull = last.length >= radius * (1 - ROUNDING);
    return agreement > GROW_ABOVE && isFull ? Math.min(GROW_BY * radius, this.#maxRadius) : radius;
  }
}
