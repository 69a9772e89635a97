/**
 * Program: the same estimates on the windows of the fixtures, which are of another implementation, and on which AFFINE's settings
 * were chosen: `node experiments/src/held-phi/recorded.ts`. Takes a minute and trains nothing.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GlocalEstimator } from '@glocal/sdk';
import { markdown } from '../report/table.ts';
import { startDmd } from './dmd-service.ts';
import { estimateTable, scored, verdictTable } from './tables.ts';
import { type HeldWindow, ROWS } from './windows.ts';

interface Recorded {
  readonly cases: readonly ({
    readonly id: string;
    readonly usable: boolean;
    readonly window: readonly (readonly number[])[];
  } & Readonly<Record<Truth, readonly number[]>>)[];
}
type Truth = `truth${(typeof HORIZONS)[number]}${'' | 'Sd'}`;

/** Inner steps after the window's beginning; each counts as a window of its own, of the same training. */
const HORIZONS = [100, 200, 400] as const;
const FILES = [
  { file: 'held_phi.json', title: 'Recorded, last weights', averaging: undefined },
  { file: 'held_phi_averaged.json', title: 'Recorded, averaged weights', averaging: 0.98 },
] as const;

function windowsIn(file: string, averaging: number | undefined, group: string): HeldWindow[] {
  const path = fileURLToPath(new URL(`../../../services/dmd/tests/fixtures/${file}`, import.meta.url));
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as Recorded;
  return cases
    .filter(({ usable }) => usable)
    .flatMap(({ id, window, ...truths }) =>
      HORIZONS.map((horizon): HeldWindow => {
        const [truth, deviations] = [truths[`truth${horizon}`], truths[`truth${horizon}Sd`]];
        const clear = truth.map((value, k) => Math.abs(value) > (deviations[k] ?? 0));
        // Windows of one training differ in where they begin.
        const run = id.replace(/-pre\d+$/, '');
        const rows = window.slice(-ROWS);
        return { group, run, averaging, rows, input: [], before: [], truth, clear };
      }),
    );
}

await using cleanUp = new AsyncDisposableStack();
const service = await startDmd();
cleanUp.defer(() => service.stop());
const estimator = cleanUp.use(new GlocalEstimator({ address: service.address }));
for (const { file, title, averaging } of FILES) {
  const windows = windowsIn(file, averaging, title);
  const said = `${windows.length / HORIZONS.length} windows of ${new Set(windows.map(({ run }) => run)).size} trainings`;
  const rows = await scored(windows, (seen, options) => estimator.analyze(seen, options));
  console.log(markdown(estimateTable(title, said, rows)));
  console.log(
    markdown(await verdictTable(title, windows, (seen, options) => estimator.analyze(seen, options))),
  );
}
