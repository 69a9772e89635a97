/** A client process of a benchmark: makes calls as fast as they are answered until its time is over, and tells how it went. */

import { randomUUID } from 'node:crypto';
import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import { Channel } from '../../support/grpc.ts';
import { after, Reporter } from '../../support/reporter.ts';
import { externalStudy } from './studies.ts';

/** What to do, for how many seconds; 0 until the study has ended. */
export type Job = { readonly address: string; readonly seconds: number } & (
  | { readonly kind: 'create'; readonly seeds: number }
  | { readonly kind: 'get'; readonly names: readonly string[]; readonly clients: number }
  | { readonly kind: 'report' }
  | { readonly kind: 'watch'; readonly name: string; readonly watchers: number }
);
type JobOf<Kind extends Job['kind']> = Extract<Job, { kind: Kind }>;

/** What came of it. */
export interface Result {
  /** Of each call, in milliseconds. */
  readonly times: readonly number[];
  /** Outer steps that came, to all watchers together. */
  readonly events: number;
  /** From the first call, or the first event, to the last. */
  readonly seconds: number;
}

function work(job: Job): Promise<Result> {
  switch (job.kind) {
    case 'create':
      return create(job);
    case 'get':
      return get(job);
    case 'report':
      return report(job);
    case 'watch':
      return watch(job);
  }
}

const since = (start: number): number => (performance.now() - start) / 1_000;

async function create({ address, seconds, seeds }: JobOf<'create'>): Promise<Result> {
  using channel = new Channel(address);
  const study = externalStudy(seeds);
  const times: number[] = [];
  const start = performance.now();
  while (since(start) < seconds) {
    times.push(await timed(() => channel.unary(Api.createStudy, { study, requestId: randomUUID() })));
  }
  return { times, events: 0, seconds: since(start) };
}

async function get({ address, seconds, names, clients }: JobOf<'get'>): Promise<Result> {
  const times: number[] = [];
  const start = performance.now();
  const client = async (_: unknown, first: number): Promise<void> => {
    using channel = new Channel(address);
    for (let i = first; since(start) < seconds; i += clients) {
      const name = names[i % names.length] ?? '';
      times.push(await timed(() => channel.unary(Api.getStudy, { name })));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { times, events: 0, seconds: since(start) };
}

/** Windows of a trial of its own, each in one message: an outer step is on disk when the client has it. */
async function report({ address, seconds }: JobOf<'report'>): Promise<Result> {
  using reporter = new Reporter(address);
  let position: Position = await reporter.position(await reporter.create(externalStudy(1)));
  const times: number[] = [];
  const start = performance.now();
  while (since(start) < seconds) {
    const sent = performance.now();
    const answer = await reporter.report({ outerStep: position.outerStep, rows: settling(position) });
    if (answer.$case !== 'outerStep') throw new Error(`the answer to a window is ${answer.$case}`);
    times.push(performance.now() - sent);
    position = after(answer.value);
  }
  return { times, events: 0, seconds: since(start) };
}

type Position = ReturnType<typeof after>;

/** Rows that settle, with noise: as costly to analyze as those of a training. */
const settling = ({ values }: Position): number[][] =>
  Array.from({ length: 20 }, (_, row) =>
    values.map(({ value }) => (value - 0.3) * (1 - 0.8 ** (row + 1)) + 0.01 * (Math.random() - 0.5)),
  );

/** Until the study has ended, too. */
async function watch({ address, seconds: wanted, name, watchers }: JobOf<'watch'>): Promise<Result> {
  let events = 0;
  const began = performance.now();
  let start = Number.NaN;
  let seconds = 0;
  const watcher = async (): Promise<void> => {
    using channel = new Channel(address);
    for await (const { event } of channel.open(Api.watchStudy, { name, cursor: '', maxLag: 0 })) {
      if (wanted > 0 && since(began) >= wanted) return;
      if (event?.$case !== 'outerStep') continue;
      if (Number.isNaN(start)) start = performance.now();
      events += 1;
      seconds = since(start);
    }
  };
  await Promise.all(Array.from({ length: watchers }, watcher));
  return { times: [], events, seconds };
}

/** Milliseconds. */
async function timed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

process.once('message', (job: Job) => {
  work(job).then(
    (result) => process.send?.(result, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.send?.('ready');
