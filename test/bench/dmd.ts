/** Benchmarks of the DMD service: what its developer tools measure, and what a client in TypeScript gets of it. */

import { execa } from 'execa';
import { DMD_TOOLS, startDmd } from '../support/dmd.ts';
import { memoryRows } from './dmd/memory.ts';
import { roundTripRows } from './dmd/round-trip.ts';
import { streamingRow } from './dmd/streaming.ts';
import type { Row } from './row.ts';

/** All rows that need no reference numbers. */
export async function dmdRows(): Promise<Row[]> {
  return [
    ...(await toolRows('bench')),
    ...(await roundTripRows()),
    ...(await throughputRows()),
    await streamingRow(),
    ...(await memoryRows()),
  ];
}

/** `dmd.fixtures_max_rel_error`: the largest difference from the reference decompositions in a file. */
export async function fixturesRow(file: string): Promise<Row> {
  const [row] = await toolRows('fixtures', file);
  if (row === undefined) throw new Error(`glocal-dmd-dev fixtures ${file} printed no row`);
  return row;
}

/** Windows a second of 32 callers at once, which a client in TypeScript would be too slow for. */
async function throughputRows(): Promise<Row[]> {
  const service = await startDmd();
  try {
    return await toolRows('bench', '--address', service.address);
  } finally {
    await service.stop();
  }
}

async function toolRows(...args: readonly string[]): Promise<Row[]> {
  const { stdout } = await execa(DMD_TOOLS, [...args, '--json']);
  return (JSON.parse(stdout) as { rows: Row[] }).rows;
}
