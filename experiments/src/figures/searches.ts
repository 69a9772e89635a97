/** What searches have found by when, a step for each that is better than the ones before. */

import { COLOURS, render } from '@glocal/cli/chart-style';
import type { Search } from '../time-to-accuracy/search.ts';

/**
 * As errors on a log scale, on which the last few points can be told apart.
 * @param target accuracy, drawn as a line across.
 */
export function searchChart(
  title: string,
  subtitle: string,
  searches: readonly Search[],
  target: number,
): Promise<string> {
  const end = Math.max(...searches.flatMap(({ found }) => found.map(({ seconds }) => seconds)));
  const values = searches.flatMap(({ method, start, found }) => {
    let best: number | undefined;
    const steps = found.flatMap(({ seconds, validation }) => {
      if (validation === undefined || validation <= (best ?? 0)) return [];
      best = validation;
      return [{ method, search: `${method} ${start}`, seconds, error: errorOf(validation) }];
    });
    // What is known stays known.
    const last = steps.at(-1);
    return last === undefined ? [] : [...steps, { ...last, seconds: end }];
  });
  const [grey = ''] = COLOURS;
  return render({
    title: { text: title, subtitle },
    width: 520,
    height: 300,
    layer: [
      {
        mark: { type: 'rule', color: grey, strokeDash: [4, 4] },
        encoding: { y: { datum: errorOf(target) } },
      },
      {
        data: { values },
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.8, opacity: 0.8 },
        encoding: {
          x: { field: 'seconds', type: 'quantitative', title: 'seconds, every training counted' },
          y: {
            ...{ field: 'error', type: 'quantitative', title: 'validation error of the best so far, %' },
            scale: { type: 'log', nice: false },
            axis: { values: [5, 10, 15, 20, 30, 50, 90] },
          },
          detail: { field: 'search' },
          color: { field: 'method', type: 'nominal', title: null },
        },
      },
    ],
  });
}

/** In %; what has none is drawn where one in ten thousand is. */
const errorOf = (accuracy: number): number => Math.max(0.01, 100 * (1 - accuracy));
