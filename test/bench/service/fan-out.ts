/** How many events reach a thousand watchers of one study. */

import { setTimeout as sleep } from 'node:timers/promises';
import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import { Channel } from '../../support/grpc.ts';
import { after, externalStudy, Reporter, rowsAt } from '../../support/reporter.ts';
import type { Row } from '../row.ts';
import { inProcesses } from './clients.ts';
import { benchServer } from './server.ts';

const WATCHERS = 1_000;
const PROCESSES = 4;
const SECONDS = 10;
/** While the watchers connect. */
const CONNECT_MS = 8_000;

export async function fanOutRow(): Promise<Row> {
  await using server = await benchServer();
  const { address } = server;
  using channel = new Channel(address);
  using reporter = new Reporter(address);
  const trial = await reporter.create(externalStudy({ windows: 400_000 }));
  const name = trial.slice(0, trial.indexOf('/trials/'));
  const job = { kind: 'watch' as const, address, name, watchers: WATCHERS / PROCESSES };
  const results = inProcesses(Array.from({ length: PROCESSES }, () => job));
  await sleep(CONNECT_MS);
  let position = await reporter.position(trial);
  const start = performance.now();
  while (performance.now() - start < SECONDS * 1_000) {
    const answer = await reporter.report({ outerStep: position.outerStep, rows: rowsAt(position) });
    if (answer.$case !== 'outerStep') throw new Error(`the answer to a window is ${answer.$case}`);
    position = { ...position, ...after(answer.value) };
  }
  await channel.unary(Api.cancelStudy, { name });
  const all = await results;
  const events = all.reduce((sum, result) => sum + result.events, 0);
  return {
    name: 'service.watch_fanout_events_per_s',
    value: all.reduce((sum, result) => sum + result.events / result.seconds, 0),
    unit: '1/s',
    n: events,
  };
}
