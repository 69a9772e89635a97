/** What is lost of a fleet's work while the chart rolls it out anew and nodes are drained: nothing may be. */

import { runFleet } from '../deploy/fleet/run.ts';
import { whyNotInside } from '../deploy/inside.ts';
import type { Row } from './row.ts';

const TIMES = 10;

/** None where no namespaces can be made, which is said. */
export async function rolloutRows(): Promise<Row[]> {
  if (whyNotInside !== undefined) {
    console.error(`no row of rollouts: ${whyNotInside}`);
    return [];
  }
  const { findings, unclean } = await runFleet({ rollouts: TIMES, evictions: TIMES, losses: 0 });
  for (const { kind, text } of findings) console.error(`${kind}: ${text}`);
  for (const line of unclean) console.error(line);
  return [{ name: 'deploy.rollout_lost', value: findings.length, unit: 'count', n: 2 * TIMES }];
}
