/** How the modes of a window decay: their sizes over time, those near eigenvalue 1 apart from the others. */

import { COLOURS, render } from '@glocal/cli/chart-style';

/** Size of one mode at one time. */
export interface DecayPoint {
  /** Its eigenvalue, for people. */
  readonly mode: string;
  readonly steady: boolean;
  /** Inner steps after the oldest row. */
  readonly t: number;
  readonly size: number;
}

/** Sizes that are drawn, over the largest at the beginning: what grows without bounds would leave no room for what decays. */
const DRAWN = [1e-4, 1e2] as const;

export function decayChart(title: string, subtitle: string, points: readonly DecayPoint[]): Promise<string> {
  const largest = Math.max(...points.filter(({ t }) => t === 0).map(({ size }) => size));
  const domain = DRAWN.map((share) => share * largest);
  const kinds = ['near 1', 'others'];
  const [grey = '', , orange = ''] = COLOURS;
  return render({
    title: { text: title, subtitle },
    width: 520,
    height: 300,
    data: {
      values: points
        .filter(({ size }) => size > 0)
        .map((point) => ({ ...point, kind: point.steady ? kinds[0] : kinds[1] })),
    },
    mark: { type: 'line', strokeWidth: 2.2, clip: true },
    encoding: {
      x: { field: 't', type: 'quantitative', title: 'inner steps after the first row' },
      y: {
        ...{ field: 'size', type: 'quantitative', title: 'size of the mode' },
        scale: { type: 'log', domain },
        axis: { tickCount: 6, format: '~e' },
      },
      detail: { field: 'mode' },
      color: { field: 'kind', type: 'nominal', scale: { domain: kinds, range: [orange, grey] } },
    },
  });
}
