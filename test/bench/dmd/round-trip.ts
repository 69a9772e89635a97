/** How long a client in TypeScript waits for the answer to a small window. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { AnalyzeWindowResponse } from '@glocal/proto/glocal/v1/dmd';
import { encodeRows } from '@glocal/trainer/dmd';
import { startDmd } from '../../support/dmd.ts';
import type { Row } from '../row.ts';
import { percentile } from '../statistics.ts';
import type { Rounds } from '../timing.ts';
import { connect, noisyWindow, specOf } from './client.ts';

const COMPONENTS = 3;
const WARM_UP = 200;
const ROUND_TRIPS = 2_000;

/** A window of 20 × 3 in one unary call, one call at a time. */
export async function roundTripRows(): Promise<Row[]> {
  const milliseconds = await roundTrips({ warmUp: WARM_UP, measured: ROUND_TRIPS });
  const row = (name: string, share: number): Row => ({
    name,
    value: percentile(milliseconds, share),
    unit: 'ms',
    n: ROUND_TRIPS,
  });
  return [row('dmd.roundtrip_q3_p50_ms', 0.5), row('dmd.roundtrip_q3_p99_ms', 0.99)];
}

/** Milliseconds of each call, the service being started for them. */
export async function roundTrips({ warmUp, measured }: Rounds): Promise<number[]> {
  const service = await startDmd();
  const client = connect(service.address);
  try {
    const rows = noisyWindow(COMPONENTS);
    const request = { spec: specOf(rows), hypergradients: encodeRows(rows) };
    const analyze = () =>
      new Promise<AnalyzeWindowResponse>((resolve, reject) => {
        client.analyzeWindow(request, (error, response) =>
          error === null ? resolve(response) : reject(error),
        );
      });
    const milliseconds: number[] = [];
    for (let i = 0; i < warmUp + measured; i++) {
      const start = performance.now();
      await analyze();
      if (i >= warmUp) milliseconds.push(performance.now() - start);
      // Between windows a training run does other things.
      if (i % 100 === 0) await sleep(1);
    }
    return milliseconds;
  } finally {
    client.close();
    await service.stop();
  }
}
