/** What searches have found by when, a step for each that is better than the ones before. */

import { COLOURS, render } from '@glocal/cli/chart-style';
import type { Search } from '../time-to-accuracy/search.ts';

/** @param target drawn as a line across. */
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
      return [{ method, search: `${method} ${start}`, seconds, accuracy: validation }];
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
      { mark: { type: 'rule', color: grey, strokeDash: [4, 4] }, encoding: { y: { datum: target } } },
      {
        data: { values },
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.8, opacity: 0.8 },
        encoding: {
          x: { field: 'seconds', type: 'quantitative', title: 'seconds, every training counted' },
          y: {
            ...{ field: 'accuracy', type: 'quantitative', title: 'best validation accuracy' },
            scale: { zero: false },
          },
          detail: { field: 'search' },
          color: { field: 'method', type: 'nominal', title: null },
        },
      },
    ],
  });
}
