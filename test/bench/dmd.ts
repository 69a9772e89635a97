/** Benchmarks of the DMD service: the library through the binary's own `bench`, and round trips from TypeScript. */

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AnalyzeWindowResponse, DmdOptions, DmdServiceClient } from '@glocal/proto/glocal/v1/dmd';
import { encodeRows } from '@glocal/trainer/loop/window.ts';
import { ServerChild } from '@glocal/trainer/process/server-child.ts';
import { credentials } from '@grpc/grpc-js';
import { execa } from 'execa';
import type { Row } from './row.ts';
import { percentile } from './statistics.ts';

const BINARY = fileURLToPath(new URL('../../target/release/glocal-dmd', import.meta.url));
const ROWS = 20;
const COMPONENTS = 3;
const WARM_UP = 200;
const ROUND_TRIPS = 2_000;

/** All rows that need no reference numbers. */
export async function dmdRows(): Promise<Row[]> {
  return [...(await libraryRows()), ...(await roundTripRows())];
}

/** `dmd.fixtures_max_rel_error`: the largest difference from the reference decompositions in a file. */
export async function fixturesRow(file: string): Promise<Row> {
  const { stdout } = await execa(BINARY, ['fixtures', file, '--json']);
  const [row] = (JSON.parse(stdout) as { rows: Row[] }).rows;
  if (row === undefined) throw new Error(`glocal-dmd fixtures ${file} printed no row`);
  return row;
}

async function libraryRows(): Promise<Row[]> {
  const { stdout } = await execa(BINARY, ['bench', '--json']);
  return (JSON.parse(stdout) as { rows: Row[] }).rows;
}

/** A window of 20 × 3 in one unary call, one call at a time. */
async function roundTripRows(): Promise<Row[]> {
  const server = await ServerChild.start({
    command: BINARY,
    args: ['serve', '--listen', '127.0.0.1:0', '--exit-with-stdin'],
    log: () => {},
  });
  const client = new DmdServiceClient(server.address, credentials.createInsecure());
  try {
    const request = {
      spec: { rows: ROWS, components: COMPONENTS, options: DmdOptions.create(), priorNorms: [] },
      hypergradients: encodeRows(window()),
    };
    const analyze = () =>
      new Promise<AnalyzeWindowResponse>((resolve, reject) => {
        client.analyzeWindow(request, (error, response) =>
          error === null ? resolve(response) : reject(error),
        );
      });
    const milliseconds: number[] = [];
    for (let i = 0; i < WARM_UP + ROUND_TRIPS; i++) {
      const start = performance.now();
      await analyze();
      if (i >= WARM_UP) milliseconds.push(performance.now() - start);
      // Between windows a training run does other things.
      if (i % 100 === 0) await sleep(1);
    }
    const row = (name: string, share: number): Row => ({
      name,
      value: percentile(milliseconds, share),
      unit: 'ms',
      n: ROUND_TRIPS,
    });
    return [row('dmd.roundtrip_q3_p50_ms', 0.5), row('dmd.roundtrip_q3_p99_ms', 0.99)];
  } finally {
    client.close();
    await server.stop();
  }
}

/** Two decaying modes on a constant, with a little structure of its own in each component. */
function window(): Float64Array[] {
  return Array.from({ length: ROWS }, (_, t) =>
    Float64Array.from(
      { length: COMPONENTS },
      (_unused, i) => 1 + i + 0.9 ** t - (i - 1) * 0.6 ** t + 0.05 * Math.sin(7 * t + i),
    ),
  );
}
