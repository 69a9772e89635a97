/** Benchmarks of the service: calls, durability, company. */

import type { Row } from '../row.ts';
import { callRows } from './calls.ts';
import { fanOutRow } from './fan-out.ts';
import { trialRows } from './trials.ts';

export const serviceRows = async (): Promise<Row[]> => [
  ...(await callRows()),
  await fanOutRow(),
  ...(await trialRows()),
];
