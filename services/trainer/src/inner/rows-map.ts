/** Functions of rows with their derivatives in both directions, and an update made of them. */

import type { Rows } from './optimizer.ts';
import type { Numbers, Update } from './update.ts';

/** From rows to rows, at certain values. */
export interface RowsMap {
  /** Each `[1, p]`, as the answers. */
  apply(rows: readonly Rows[]): Rows[];
  /** @param directions of the rows, each `[c, p]` or null for zero, and of the values; at least one is not zero. */
  pushforward(
    rows: readonly Rows[],
    directions: { readonly count: number; readonly rows: readonly (Rows | null)[]; readonly values: Numbers },
  ): { readonly rows: Rows[]; readonly directions: Rows[] };
  /** @param adjoints of the answers, each `[m, p]`. */
  pullback(
    rows: readonly Rows[],
    adjoints: readonly Rows[],
    wanted: readonly string[],
  ): { readonly rows: Rows[]; readonly values: Numbers };
}

/**
 * @param theta from state and gradient to the next state.
 * @param point from state to the point at which the gradient is taken, if that is not the weights.
 */
export function updateOf(theta: RowsMap, point: RowsMap | undefined): Update {
  const along = (state: readonly Rows[], directions: readonly Rows[] | null) =>
    state.map((_, i) => directions?.[i] ?? null);
  return {
    gradientPoint: point && {
      apply: (state) => point.apply(state)[0] as Rows,
      pushforward(state, { count, state: ofState, values }) {
        const pushed = point.pushforward(state, { count, rows: along(state, ofState), values });
        return { point: pushed.rows[0] as Rows, directions: pushed.directions[0] as Rows };
      },
      pullback(state, adjoints, wanted) {
        const { rows, values } = point.pullback(state, [adjoints], wanted);
        return { state: rows, values };
      },
    },
    apply: ({ state, gradient }) => theta.apply([...state, gradient]),
    pushforward({ state, gradient }, { count, state: ofState, gradient: ofGradient, values }) {
      const rows = [...along(state, ofState), ofGradient];
      const pushed = theta.pushforward([...state, gradient], { count, rows, values });
      return { state: pushed.rows, directions: pushed.directions };
    },
    pullback({ state, gradient }, adjoints, wanted) {
      const { rows, values } = theta.pullback([...state, gradient], adjoints, wanted);
      return { state: rows.slice(0, -1), gradient: rows.at(-1) as Rows, values };
    },
  };
}
