/** A first-order rule on the windows of a driven trial: what the service's own outer optimizer does, in the client. */

import { counted } from '../counted.ts';
import type { DrivenWindow } from '../driven-window.ts';
import { GlocalError } from '../error.ts';
import type { ParameterMap } from '../space.ts';
import type { NewValues } from '../space-values.ts';
import { type ClipOptions, clip } from './clip.ts';
import { Memory } from './memory.ts';
import type { SavableOptimizer } from './optimizer.ts';
import type { Rule, Vector } from './rules.ts';

/** Which hypergradient of a window is used. */
export type HypergradientChoice = 'proposed' | 'glocal' | 'local' | 'mean' | 'median';

/** What all optimizers here take. */
export interface GradientOptions extends ClipOptions {
  /** Step size in unconstrained coordinates, above 0; a function is asked for each window. */
  readonly rate: number | ((window: DrivenWindow) => number);
  /**
   * Which hypergradient: what the service would use, component by component (`update.hypergradient`), or one of the report of
   * the window, without which nothing moves. @default 'proposed'
   */
  readonly hypergradient?: HypergradientChoice | undefined;
}

/** The last move, which can be taken back. */
interface Move {
  readonly point: Vector;
  readonly gradient: Vector;
  /** Before it. */
  readonly moments: unknown;
  readonly rate: number;
  /** Whether it has been made again at half the rate. */
  readonly retried: boolean;
}

interface State {
  /** Before the first move there are none. */
  readonly moments?: unknown;
  /** What is left of the rate after moves that were made again. */
  readonly rateShare: number;
  readonly last?: Move;
}

/** Where it goes. */
interface Step<P extends ParameterMap> {
  readonly values: NewValues<P>;
  readonly state: State;
}

export class GradientOptimizer implements SavableOptimizer {
  readonly #rule: Rule;
  readonly #options: GradientOptions;
  readonly #memory: Memory<State>;

  constructor(rule: Rule, options: GradientOptions) {
    this.#rule = rule;
    this.#options = options;
    this.#memory = new Memory<State>(rule.name, { rateShare: 1 });
  }

  next<P extends ParameterMap>(window: DrivenWindow<P>): NewValues<P> {
    const { values, state } = this.#step(window, this.#memory.at(window.index));
    this.#memory.advance(window.index, state);
    return values;
  }

  toJSON(): unknown {
    return this.#memory.toJSON();
  }

  restore(saved: unknown): void {
    this.#memory.restore(saved);
  }

  #step<P extends ParameterMap>(window: DrivenWindow<P>, before: State): Step<P> {
    if (window.givesUp || window.update?.rolledBack === true) return this.#takeBack(window, before);
    const point = [...window.pointOf()];
    const gradient = this.#gradient(window, point.length);
    const { last: _last, ...held } = before;
    if (gradient === undefined) return { values: window.valuesAt(point), state: held };
    const moments = before.moments ?? this.#rule.initial(point.length);
    const rate = this.#rate(window) * before.rateShare;
    return this.#move(window, before, { point, gradient, moments, rate, retried: false });
  }

  /** The window does not count: its move is made again at half the rate, as the service does, and only once. */
  #takeBack<P extends ParameterMap>(window: DrivenWindow<P>, before: State): Step<P> {
    const { last, ...held } = before;
    if (last !== undefined && !last.retried) {
      const halved = { ...before, rateShare: before.rateShare / 2 };
      return this.#move(window, halved, { ...last, rate: last.rate / 2, retried: true });
    }
    if (window.givesUp) {
      throw new GlocalError(
        'FAILED_PRECONDITION',
        `training has diverged in outer step ${window.index}, and no move is left to take back: accept() ends the trial`,
        { reason: 'GIVES_UP' },
      );
    }
    // Lower learning rates, which the service proposes where it has nothing else to take back.
    const proposed: unknown = window.nextValues;
    return { values: window.valuesAt(window.pointOf(proposed as NewValues<P>)), state: held };
  }

  #move<P extends ParameterMap>(window: DrivenWindow<P>, before: State, move: Move): Step<P> {
    const { point, gradient, moments, rate } = move;
    const moved = this.#rule.move(point, gradient, moments, rate);
    return {
      values: window.valuesAt(moved.point),
      state: { ...before, moments: moved.moments, last: move },
    };
  }

  /** Undefined where the window has none: nothing moves then. */
  #gradient(
    window: Pick<DrivenWindow, 'index' | 'update' | 'report'>,
    components: number,
  ): Vector | undefined {
    const { hypergradient = 'proposed' } = this.#options;
    const given = chosen(window, hypergradient);
    if (given === undefined || given.length === 0 || !Array.from(given).every(Number.isFinite))
      return undefined;
    if (given.length === components) return clip(Array.from(given), this.#options);
    throw new GlocalError(
      'DATA_LOSS',
      `the hypergradient of outer step ${window.index} has ${counted(given.length, 'component')}, the space ${components} that move`,
    );
  }

  /** @throws GlocalError INVALID_ARGUMENT for a function that gives something else than a rate */
  #rate<P extends ParameterMap>(window: DrivenWindow<P>): number {
    const { rate } = this.#options;
    // A function that is for any window is for this one.
    const given = typeof rate === 'function' ? rate(window as unknown as DrivenWindow) : rate;
    if (given > 0 && Number.isFinite(given)) return given;
    throw GlocalError.invalid('NOT_ENCODABLE', [
      { field: 'rate', description: `${given} is not a number above 0` },
    ]);
  }
}

function chosen(
  { update, report }: Pick<DrivenWindow, 'update' | 'report'>,
  hypergradient: HypergradientChoice,
): ArrayLike<number> | undefined {
  switch (hypergradient) {
    case 'proposed':
      return update?.hypergradient;
    case 'local':
      return report?.last;
    default:
      return report?.[hypergradient];
  }
}
