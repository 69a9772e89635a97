/** How many windows a second clients can report and be told what follows, through SQLite and the DMD service. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { TestTrainer } from '../support/trainer.ts';
import type { Row } from './row.ts';

const CLIENTS = 16;
const SECONDS = 10;

/** What a client process is told, and what it tells. */
export interface ReporterTask {
  readonly address: string;
  readonly seconds: number;
}
export interface ReporterResult {
  readonly roundTrips: number;
}

/**
 * Windows of 20 rows of 3 components, each in one message, by client processes with a trial of their own: an outer step is
 * on disk when the client has it.
 */
export async function externalRows(): Promise<Row[]> {
  await using trainer = await TestTrainer.start({ args: ['--log-level', 'error'] });
  const program = fileURLToPath(new URL('./service-external-client.ts', import.meta.url));
  const clients = Array.from({ length: CLIENTS }, () => fork(program));
  try {
    // All begin at the same time.
    await Promise.all(clients.map((client) => once(client, 'message')));
    const task: ReporterTask = { address: trainer.address, seconds: SECONDS };
    const results = await Promise.all(
      clients.map(async (client) => {
        const result = once(client, 'message');
        client.send(task);
        return ((await result)[0] as ReporterResult).roundTrips;
      }),
    );
    const roundTrips = results.reduce((sum, count) => sum + count, 0);
    return [
      {
        name: 'service.external_round_trips_per_s',
        value: roundTrips / SECONDS,
        unit: '1/s',
        n: roundTrips,
      },
    ];
  } finally {
    for (const client of clients) client.kill();
  }
}
