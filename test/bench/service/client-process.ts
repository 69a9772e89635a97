/** A client process of a benchmark: makes calls as fast as they are answered until its time is over, and tells how long each took. */

import { randomUUID } from 'node:crypto';
import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import { Channel } from '../../support/grpc.ts';
import { externalStudy } from './studies.ts';

/** What to do, until `until` (milliseconds since the epoch). */
export type Job = { readonly address: string; readonly until: number } & (
  | { readonly kind: 'create'; readonly seeds: number }
  | { readonly kind: 'get'; readonly names: readonly string[]; readonly clients: number }
  | { readonly kind: 'watch'; readonly name: string; readonly watchers: number }
);

/** What came of it. */
export interface Result {
  /** Of each call, in milliseconds. */
  readonly times: readonly number[];
  /** From the first call to the last answer. */
  readonly seconds: number;
  /** Names of what was made. */
  readonly names: readonly string[];
  /** Events that came, of all watchers. */
  readonly events: number;
}

async function work(job: Job): Promise<Omit<Result, 'seconds'>> {
  switch (job.kind) {
    case 'create':
      return create(job);
    case 'get':
      return get(job);
    case 'watch':
      return watch(job);
  }
}

async function create({
  address,
  until,
  seeds,
}: Extract<Job, { kind: 'create' }>): Promise<Omit<Result, 'seconds'>> {
  using channel = new Channel(address);
  const study = externalStudy(seeds);
  const times: number[] = [];
  const names: string[] = [];
  while (Date.now() < until) {
    const start = performance.now();
    const { name } = await channel.unary(Api.createStudy, { study, requestId: randomUUID() });
    times.push(performance.now() - start);
    names.push(name);
  }
  return { times, names, events: 0 };
}

async function get({
  address,
  until,
  names,
  clients,
}: Extract<Job, { kind: 'get' }>): Promise<Omit<Result, 'seconds'>> {
  const times: number[] = [];
  const client = async (_: unknown, first: number): Promise<void> => {
    using channel = new Channel(address);
    for (let i = first; Date.now() < until; i += clients) {
      const name = names[i % names.length] ?? '';
      const start = performance.now();
      await channel.unary(Api.getStudy, { name });
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { times, names: [], events: 0 };
}

async function watch({
  address,
  until,
  name,
  watchers,
}: Extract<Job, { kind: 'watch' }>): Promise<Omit<Result, 'seconds'>> {
  let events = 0;
  const watcher = async (): Promise<void> => {
    using channel = new Channel(address);
    for await (const { event } of channel.open(Api.watchStudy, { name, cursor: '', maxLag: 0 })) {
      if (event?.$case === 'outerStep') events += 1;
      if (Date.now() >= until) return;
    }
  };
  await Promise.all(Array.from({ length: watchers }, watcher));
  return { times: [], names: [], events };
}

process.once('message', (job: Job) => {
  const started = performance.now();
  work(job).then(
    (result) => {
      const seconds = (performance.now() - started) / 1_000;
      process.send?.({ ...result, seconds } satisfies Result, () => process.exit(0));
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
