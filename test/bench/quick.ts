/** A few figures within seconds, which the end of `npm test` prints: what was measured while nobody looked. */

import { roundTrips } from './dmd/round-trip.ts';
import { quickStepRows } from './engine.ts';
import { type Row, timeRow } from './row.ts';

const CALLS = { warmUp: 50, measured: 300 };

export async function quickRows(): Promise<Row[]> {
  return [...(await quickStepRows()), timeRow('quick.dmd_roundtrip_q3_ms', await roundTrips(CALLS))];
}
