/** How many calls the server answers, and how soon. The studies are of outside clients, so that nothing is trained. */

import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import { Channel } from '../../support/grpc.ts';
import type { Row } from '../row.ts';
import { median, percentile } from '../statistics.ts';
import type { Result } from './client-process.ts';
import { inProcesses } from './clients.ts';
import { benchServer } from './server.ts';

const PROCESSES = 16;
/** Before the studies whose making is measured. */
const WARM_UP_SECONDS = 5;
const SECONDS = 5;
const CLIENTS = 100;
const CLIENT_PROCESSES = 4;
/** How often a client looks at its study. */
const LOOK_EVERY_MS = 1_000;
const LOOKING_SECONDS = 20;
const STUDIES = 10_000;
/** Of each study: 100,000 trials in all. */
const SEEDS = 10;
const PAGE = 50;
const PAGES = 100;

export async function callRows(): Promise<Row[]> {
  await using server = await benchServer();
  const { address } = server;
  const created = await createRows(address, '.sqlite');
  const reported = await inProcesses(
    Array.from({ length: PROCESSES }, () => ({
      ...{ kind: 'report' as const, address, seconds: SECONDS },
    })),
  );
  await fill(address);
  return [
    ...created,
    {
      name: 'service.external_round_trips_per_s',
      value: perSecond(reported),
      unit: '1/s',
      n: timesOf(reported).length,
    },
    ...(await getRows(address)),
    ...(await listRows(address)),
  ];
}

/**
 * Clients and server share the processors: `create_study_client_cores` is what the clients take of them, and what a server
 * whose clients are elsewhere would have besides.
 */
export async function createRows(address: string, store: '.sqlite' | '.postgres'): Promise<Row[]> {
  const results = await create(address, { seeds: 1, warmUp: WARM_UP_SECONDS });
  const times = timesOf(results);
  const cores = results.reduce((sum, { cpuSeconds, seconds }) => sum + cpuSeconds / seconds, 0);
  const n = times.length;
  const of = store === '.sqlite' ? '' : store;
  return [
    { name: `service.create_study_per_s${store}`, value: perSecond(results), unit: '1/s', n },
    { name: `service.create_study_p99_ms${of}`, value: percentile(times, 0.99), unit: 'ms', n },
    { name: `service.create_study_client_cores${of}`, value: cores, unit: 'cores', n },
  ];
}

const create = (
  address: string,
  job: { readonly seeds: number; readonly warmUp: number },
): Promise<Result[]> =>
  inProcesses(
    Array.from({ length: PROCESSES }, () => ({ kind: 'create' as const, address, seconds: SECONDS, ...job })),
  );

const timesOf = (results: readonly Result[]): number[] => results.flatMap(({ times }) => times);

/** Calls of all processes together. */
const perSecond = (results: readonly Result[]): number =>
  results.reduce((sum, { times, seconds }) => sum + times.length / seconds, 0);

/** Studies until there are enough, with their trials. */
async function fill(address: string): Promise<void> {
  let made = 0;
  while (made < STUDIES) made += timesOf(await create(address, { seeds: SEEDS, warmUp: 0 })).length;
}

/**
 * A hundred clients who look at a study once a second each, from the moment at which each look is due; and, as
 * `get_study_saturated_…`, who ask again as soon as they are answered. By Little's law the latter wait on the average for
 * 100 calls over the calls a second, whatever the server does: what they say is how many calls it answers.
 */
async function getRows(address: string): Promise<Row[]> {
  using channel = new Channel(address);
  const names = await firstNames(channel, 1_000);
  const look = (seconds: number, everyMs: number) =>
    inProcesses(
      Array.from({ length: CLIENT_PROCESSES }, () => ({
        ...{ kind: 'get' as const, address, seconds, names, everyMs },
        clients: CLIENTS / CLIENT_PROCESSES,
      })),
    );
  const saturated = await look(SECONDS, 0);
  const times = timesOf(await look(LOOKING_SECONDS, LOOK_EVERY_MS));
  const closed = timesOf(saturated);
  return [
    { name: 'service.get_study_p99_ms', value: percentile(times, 0.99), unit: 'ms', n: times.length },
    {
      name: 'service.get_study_saturated_p99_ms',
      value: percentile(closed, 0.99),
      unit: 'ms',
      n: closed.length,
    },
    {
      name: 'service.get_study_saturated_per_s',
      value: perSecond(saturated),
      unit: '1/s',
      n: closed.length,
    },
  ];
}

/** Pages of all studies, and of the trials of the study that has most. */
async function listRows(address: string): Promise<Row[]> {
  using channel = new Channel(address);
  const times: number[] = [];
  let pageToken = '';
  do {
    const start = performance.now();
    const page = await channel.unary(Api.listStudies, { pageSize: PAGE, pageToken, states: [], labels: {} });
    times.push(performance.now() - start);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  const last = times.slice(-PAGES);
  return [
    { name: 'service.list_page_p99_ms', value: percentile(times, 0.99), unit: 'ms', n: times.length },
    {
      name: 'service.list_page_last_over_first',
      value: median(last) / median(times.slice(0, PAGES)),
      unit: 'ratio',
      n: last.length,
    },
  ];
}

async function firstNames(channel: Channel, pageSize: number): Promise<string[]> {
  const { studies } = await channel.unary(Api.listStudies, {
    pageSize,
    pageToken: '',
    states: [],
    labels: {},
  });
  return studies.map(({ name }) => name);
}
