/** How fast one client of the SDK gets its hypergradients through: small windows, and long rows. */

import {
  type ExternalLoop,
  float,
  GlocalEstimator,
  type ParameterMap,
  type Space,
  space,
  vector,
} from '@glocal/sdk';
import { startDmd } from '../../support/dmd.ts';
import { TestTrainer } from '../../support/trainer.ts';
import { noisyWindow, ROWS } from '../dmd/client.ts';
import type { Row } from '../row.ts';
import { median } from '../statistics.ts';

const LONG = 100_000;
const REPEATS = 7;

/** All of them, each from servers of its own. */
export async function externalRows(): Promise<Row[]> {
  return [...(await throughTrainer()), await estimatorRow()];
}

/**
 * `sdk.external_windows_per_s`: windows of 20 rows and 3 components, which one client reports one after the other, each decided
 * and stored before the next. `sdk.external_q100k_mb_s`: 10⁶ bytes of rows with 100,000 components a second, all stored and
 * analyzed. Client, trainer and DMD service share the processors.
 */
async function throughTrainer(): Promise<Row[]> {
  await using trainer = await TestTrainer.start();
  const rates = async (searched: Space, windows: number, perWindow: number, warmUp: number) => {
    const loop = await open(trainer, searched, windows * REPEATS + warmUp);
    await train(loop, warmUp);
    const measured: number[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const start = performance.now();
      await train(loop, windows);
      measured.push((windows * perWindow) / ((performance.now() - start) / 1e3));
    }
    return median(measured);
  };
  const three = space({
    a: float({ min: -1, max: 1, init: 0, scale: 'linear' }),
    b: float({ min: 0, max: 1, init: 0.5 }),
    c: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
  });
  const long = space({ x: vector({ size: LONG, min: 0, max: 1, init: 0.5 }) });
  const megabytes = (ROWS * LONG * 8) / 1e6;
  return [
    { name: 'sdk.external_windows_per_s', value: await rates(three, 100, 1, 100), unit: '1/s', n: REPEATS },
    { name: 'sdk.external_q100k_mb_s', value: await rates(long, 3, megabytes, 3), unit: 'MB/s', n: REPEATS },
  ];
}

const open = (trainer: TestTrainer, searched: Space, windows: number): Promise<ExternalLoop> =>
  trainer.client.external({ space: searched, steps: windows * ROWS, window: ROWS, sigma: ROWS });

/** As many windows, as fast as they go. */
async function train(loop: ExternalLoop, windows: number): Promise<void> {
  const rows = noisyWindow(componentsOf(loop.study.space.parameters));
  for (let window = 0; window < windows; window++) {
    const first = loop.nextStep;
    await Promise.all(rows.map((row, i) => loop.report(first + i, row)));
  }
}

const componentsOf = (parameters: ParameterMap): number =>
  Object.values(parameters).reduce(
    (sum, { kind, ...rest }) => sum + ('size' in rest ? (rest.size ?? 1) : 1),
    0,
  );

/** `sdk.estimator_q100k_mb_s`: the same rows to a DMD service alone. */
async function estimatorRow(): Promise<Row> {
  const service = await startDmd();
  try {
    using estimator = new DisposableStack();
    const client = estimator.adopt(new GlocalEstimator({ address: service.address }), (each) => each.close());
    const rows = noisyWindow(LONG);
    const rates: number[] = [];
    for (let repeat = -2; repeat < REPEATS; repeat++) {
      const start = performance.now();
      const windows = 5;
      let before: Awaited<ReturnType<typeof client.open>> | undefined;
      const reports = [];
      for (let i = 0; i < windows; i++) {
        const window = await client.open({ rows: ROWS, components: LONG, follows: before });
        for (const row of rows) await window.push(row);
        reports.push(window.report());
        before = window;
      }
      await Promise.all(reports);
      if (repeat >= 0) rates.push((windows * ROWS * LONG * 8) / 1e6 / ((performance.now() - start) / 1e3));
    }
    return { name: 'sdk.estimator_q100k_mb_s', value: median(rates), unit: 'MB/s', n: REPEATS };
  } finally {
    await service.stop();
  }
}
