/** How many calls the server answers, and how soon. The studies are of outside clients, so that nothing is trained. */

import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import { Channel } from '../../support/grpc.ts';
import type { Row } from '../row.ts';
import { median, percentile } from '../statistics.ts';
import type { Result } from './client-process.ts';
import { inProcesses } from './clients.ts';
import { benchServer } from './server.ts';

const PROCESSES = 16;
const SECONDS = 5;
const CLIENTS = 100;
const STUDIES = 10_000;
/** Of each study: 100,000 trials in all. */
const SEEDS = 10;
const PAGE = 50;
const PAGES = 100;

export async function callRows(): Promise<Row[]> {
  await using server = await benchServer();
  const { address } = server;
  const results = await inProcesses(
    Array.from({ length: PROCESSES }, () => ({
      kind: 'create' as const,
      address,
      seconds: SECONDS,
      seeds: 1,
    })),
  );
  const times = results.flatMap((result) => result.times);
  const reported = await inProcesses(
    Array.from({ length: PROCESSES }, () => ({
      ...{ kind: 'report' as const, address, seconds: SECONDS },
    })),
  );
  await fill(address);
  return [
    { name: 'service.create_study_per_s.sqlite', value: perSecond(results), unit: '1/s', n: times.length },
    {
      name: 'service.create_study_p99_ms',
      value: percentile(times, 0.99),
      unit: 'ms',
      n: times.length,
    },
    {
      name: 'service.external_round_trips_per_s',
      value: perSecond(reported),
      unit: '1/s',
      n: reported.flatMap((result) => result.times).length,
    },
    await getRow(address),
    ...(await listRows(address)),
  ];
}

/** Calls of all processes together. */
const perSecond = (results: readonly Result[]): number =>
  results.reduce((sum, { times, seconds }) => sum + times.length / seconds, 0);

/** Studies until there are enough, with their trials. */
async function fill(address: string): Promise<void> {
  let made = 0;
  while (made < STUDIES) {
    const results = await inProcesses(
      Array.from({ length: PROCESSES }, () => ({
        kind: 'create' as const,
        address,
        seconds: 5,
        seeds: SEEDS,
      })),
    );
    made += results.reduce((sum, { times }) => sum + times.length, 0);
  }
}

async function getRow(address: string): Promise<Row> {
  using channel = new Channel(address);
  const names = await firstNames(channel, 1_000);
  const clients = Math.ceil(CLIENTS / 4);
  const results = await inProcesses(
    Array.from({ length: 4 }, () => ({ kind: 'get' as const, address, seconds: SECONDS, names, clients })),
  );
  const times = results.flatMap((result) => result.times);
  return { name: 'service.get_study_p99_ms', value: percentile(times, 0.99), unit: 'ms', n: times.length };
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
