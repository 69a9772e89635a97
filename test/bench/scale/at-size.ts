/** How long the store takes for what servers and workers ask of it, with 100,000 trials and a million outer steps in it. */

import { type OuterStep, StudyState, TrialState } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import { openStore, type Store } from '@glocal/trainer/testing';
import { Channel } from '../../support/grpc.ts';
import { TestPostgres } from '../../support/postgres.ts';
import type { Row } from '../row.ts';
import { benchServer } from '../service/server.ts';
import { percentile } from '../statistics.ts';
import { fill } from './fill.ts';
import { LONG, makeTemplates, TRIALS } from './templates.ts';

/** Of ten studies one has not ended. */
const ACTIVE = 10;
/** How often each thing is done. */
const TIMES = 1_000;
const DELETIONS = 200;
const WORKERS = 4;
const PAGE = 50;
const LEASE_MS = 3_600_000;

type Times = Record<
  | 'claim'
  | 'outer_step'
  | 'list'
  | 'list_trials'
  | 'list_outer_steps'
  | 'read'
  | 'watch'
  | 'delete'
  | 'expired',
  number[]
>;

/** @param trials 100,000, or fewer where there is little time. */
export async function atSizeRows(trials: number, log: (line: string) => void): Promise<Row[]> {
  await using postgres = await TestPostgres.start({ fsync: 'on', max_wal_size: '8GB' });
  const url = await postgres.newDatabase();
  const store = await openStore(url);
  try {
    const { ended, active } = await makeTemplates(store);
    const studies = Math.round(trials / TRIALS);
    const unfinished = Math.ceil(studies / ACTIVE);
    const all = [
      { template: ended, copies: studies - unfinished },
      { template: active, copies: unfinished },
    ];
    const since = performance.now();
    await fill(
      postgres,
      url,
      all,
      (made) => made % 1_000 === 0 && log(`${made} of ${studies} studies are copied`),
    );
    const [size] = await postgres.run(
      'SELECT pg_size_pretty(pg_database_size(current_database())) AS size',
      url,
    );
    const outerSteps = all.reduce((sum, { template, copies }) => sum + template.outerSteps * copies, 0);
    log(
      `${trials} trials and ${outerSteps} outer steps, ${size?.size}, filled in ${((performance.now() - since) / 1_000).toFixed(0)} s`,
    );
    const times = await measure(store, url, `${ended.name}/trials/0`);
    return Object.entries(times).flatMap(([what, ms]) => rowsOf(what, ms, `${trials / 1_000}k`));
  } finally {
    await store.close();
  }
}

const rowsOf = (what: string, ms: readonly number[], size: string): Row[] =>
  (
    [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const
  ).map(([name, share]) => ({
    ...{ name: `scale.${what}_${name}_ms_at_${size}_trials`, value: percentile(ms, share) },
    ...{ unit: 'ms', n: ms.length },
  }));

/** @param like a trial whose outer steps others may have. */
async function measure(store: Store, url: string, like: string): Promise<Times> {
  const times: Times = {
    ...{ claim: [], outer_step: [], list: [], list_trials: [], list_outer_steps: [] },
    ...{ read: [], watch: [], delete: [], expired: [] },
  };
  const outerStep = await store.getOuterStep(`${like}/outerSteps/1`);
  if (outerStep === undefined) throw new Error(`${like} has no outer step`);
  await Promise.all(
    Array.from({ length: WORKERS }, (_, i) => work(store, times, `bench-${i}`, outerStep, TIMES / WORKERS)),
  );
  await using server = await benchServer(url, ['--role', 'server']);
  using channel = new Channel(server.address);
  await look(channel, times);
  for (let i = 0; i < DELETIONS; i++) {
    const [name] = await timed(times.expired, () => store.listExpired({ keep: TIMES, limit: 100 }));
    if (name === undefined) break;
    await timed(times.delete, () => store.deleteStudy(name));
  }
  return times;
}

/** What a worker does, but for training. */
async function work(
  store: Store,
  times: Times,
  worker: string,
  like: OuterStep,
  trials: number,
): Promise<void> {
  for (let i = 0; i < trials; i++) {
    const request = { worker, leaseMs: LEASE_MS, holding: [], except: [] };
    const started = await timed(times.claim, () => store.claimTrial(request));
    if (started === undefined) return;
    const { claim } = started;
    await timed(times.outer_step, () =>
      store.addOuterStep(claim, { ...like, name: `${claim.trial}/outerSteps/1` }),
    );
    await store.endTrial(claim, { state: TrialState.SUCCEEDED, reason: 'all steps done' });
  }
}

/** What clients do: pages of studies from the newest to the oldest, and some of the studies on them. */
async function look(channel: Channel, times: Times): Promise<void> {
  let pageToken = '';
  do {
    const page = { pageSize: PAGE, pageToken, states: [], labels: {} };
    const { studies, nextPageToken } = await timed(times.list, () => channel.unary(Api.listStudies, page));
    pageToken = nextPageToken;
    for (const { name, state } of studies.filter((_, i) => i % 10 === 0)) {
      const first = { pageSize: PAGE, pageToken: '' };
      const trial = `${name}/trials/0`;
      await timed(times.list_trials, () => channel.unary(Api.listTrials, { parent: name, ...first }));
      await timed(times.read, () => channel.unary(Api.getTrial, { name: trial }));
      await timed(times.list_outer_steps, () =>
        channel.unary(Api.listOuterSteps, { parent: trial, ...first, includeWindows: true }),
      );
      if (state !== StudyState.COMPLETED) continue;
      const watched: number[] = [];
      let events = 0;
      await timed(watched, async () => {
        for await (const _ of channel.open(Api.watchStudy, { name, cursor: '', maxLag: 0 })) events += 1;
      });
      // The others were short.
      if (events > TRIALS * LONG) times.watch.push(...watched);
    }
  } while (pageToken !== '');
}

async function timed<T>(times: number[], act: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await act();
  times.push(performance.now() - start);
  return result;
}
