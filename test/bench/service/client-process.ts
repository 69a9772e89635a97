/** A client process of a benchmark: makes calls until its time is over, and tells how it went. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  StudyServiceService as Api,
  CreateStudyRequest,
  GetStudyRequest,
  StudyEvent,
  WatchStudyRequest,
} from '@glocal/proto/glocal/v1/study_service';
import { after, Reporter } from '../../support/reporter.ts';
import { LeanChannel } from './lean-channel.ts';
import { externalStudy } from './studies.ts';

export type Job = { readonly address: string } & (
  | CreateJob
  | GetJob
  | { readonly kind: 'report'; readonly seconds: number }
  | { readonly kind: 'watch'; readonly name: string; readonly watchers: number }
);

/** One call after the other. */
interface CreateJob {
  readonly kind: 'create';
  readonly seconds: number;
  readonly seeds: number;
  /** Seconds of calls before those that count, in which code is compiled on both sides. */
  readonly warmUp: number;
}

/** Clients with a connection each. */
interface GetJob {
  readonly kind: 'get';
  readonly seconds: number;
  readonly names: readonly string[];
  readonly clients: number;
  /** From one call of a client to its next; 0 for one call after the other. */
  readonly everyMs: number;
}

type JobOf<Kind extends Job['kind']> = Extract<Job, { kind: Kind }>;

/** What came of it. */
export interface Result {
  /** Of each call, in milliseconds. */
  readonly times: readonly number[];
  /** Outer steps that came, to all watchers together. */
  readonly events: number;
  /** From the first call, or the first event, to the last. */
  readonly seconds: number;
  /** Of a processor, that this process took meanwhile. */
  readonly cpuSeconds: number;
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

function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

async function create({ address, seconds, seeds, warmUp }: JobOf<'create'>): Promise<Result> {
  using channel = new LeanChannel(address);
  const body = CreateStudyRequest.encode({ study: externalStudy(seeds), requestId: '' }).finish();
  // Fields that follow belong to the same message.
  const request = () =>
    Buffer.concat([body, CreateStudyRequest.encode({ study: undefined, requestId: randomUUID() }).finish()]);
  const call = () => channel.unary(Api.createStudy.path, request());
  for (const start = performance.now(); since(start) < warmUp; ) await call();
  const times: number[] = [];
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  while (since(start) < seconds) {
    const sent = performance.now();
    await call();
    times.push(performance.now() - sent);
  }
  return { times, events: 0, seconds: since(start), cpuSeconds: cpuSince(cpu) };
}

async function get({ address, seconds, names, clients, everyMs }: JobOf<'get'>): Promise<Result> {
  const times: number[] = [];
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const client = async (_: unknown, first: number): Promise<void> => {
    using channel = new LeanChannel(address);
    let due = start + ((first + Math.random()) / clients) * everyMs;
    for (let i = first; since(start) < seconds; i += clients) {
      if (everyMs === 0) due = performance.now();
      else await sleep(Math.max(0, due - performance.now()));
      const name = names[i % names.length] ?? '';
      await channel.unary(Api.getStudy.path, GetStudyRequest.encode({ name }).finish());
      // From when it was due: a call that had to wait for the one before has waited, too.
      times.push(performance.now() - due);
      due += everyMs;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { times, events: 0, seconds: since(start), cpuSeconds: cpuSince(cpu) };
}

/** Windows of a trial of its own, each in one message: an outer step is on disk when the client has it. */
async function report({ address, seconds }: JobOf<'report'>): Promise<Result> {
  using reporter = new Reporter(address);
  let position: Position = await reporter.position(await reporter.create(externalStudy(1)));
  const times: number[] = [];
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  while (since(start) < seconds) {
    const sent = performance.now();
    const answer = await reporter.report({ outerStep: position.outerStep, rows: settling(position) });
    if (answer.$case !== 'outerStep') throw new Error(`the answer to a window is ${answer.$case}`);
    times.push(performance.now() - sent);
    position = after(answer.value);
  }
  return { times, events: 0, seconds: since(start), cpuSeconds: cpuSince(cpu) };
}

type Position = ReturnType<typeof after>;

/** Rows that settle, with noise: as costly to analyze as those of a training. */
const settling = ({ values }: Position): number[][] =>
  Array.from({ length: 20 }, (_, row) =>
    values.map(({ value }) => (value - 0.3) * (1 - 0.8 ** (row + 1)) + 0.01 * (Math.random() - 0.5)),
  );

/** Until the study has ended. */
async function watch({ address, name, watchers }: JobOf<'watch'>): Promise<Result> {
  let events = 0;
  const cpu = process.cpuUsage();
  let start = Number.NaN;
  let seconds = 0;
  const request = WatchStudyRequest.encode({ name, cursor: '', maxLag: 0 }).finish();
  const watcher = async (): Promise<void> => {
    using channel = new LeanChannel(address);
    await channel.serverStream(Api.watchStudy.path, request, (response) => {
      if (StudyEvent.decode(response).event?.$case !== 'outerStep') return;
      if (Number.isNaN(start)) start = performance.now();
      events += 1;
      seconds = since(start);
    });
  };
  await Promise.all(Array.from({ length: watchers }, watcher));
  return { times: [], events, seconds, cpuSeconds: cpuSince(cpu) };
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
