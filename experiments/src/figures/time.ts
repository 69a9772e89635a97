/** Where the time of an inner step goes: a bar for each row, its parts side by side. */

import { COLOURS, render } from '@glocal/cli/chart-style';
import type { StepTime } from '../paper/step-time.ts';

const PARTS = [
  ['training', 'steps, with their tangents'],
  ['hypergradients', 'validation gradients'],
  ['dmd', 'waiting for the DMD service'],
] as const;

/** @param rows in their order, each with a time. */
export function timeChart(
  title: string,
  subtitle: string,
  rows: readonly string[],
  times: ReadonlyMap<string, StepTime>,
): Promise<string> {
  const names = PARTS.map(([, name]) => name);
  const values = rows.flatMap((row) =>
    PARTS.map(([part, name], order) => ({
      row,
      part: name,
      order,
      milliseconds: times.get(row)?.[part] ?? 0,
    })),
  );
  return render({
    title: { text: title, subtitle },
    width: 480,
    height: { step: 34 },
    data: { values },
    mark: { type: 'bar', height: { band: 0.7 } },
    encoding: {
      x: { field: 'milliseconds', type: 'quantitative', title: 'ms for each inner step', stack: 'zero' },
      y: {
        ...{ field: 'row', type: 'nominal', title: null },
        ...{ scale: { domain: rows }, axis: { labelLimit: 320 } },
      },
      color: {
        ...{ field: 'part', type: 'nominal', scale: { domain: names, range: COLOURS } },
      },
      order: { field: 'order' },
    },
  });
}
