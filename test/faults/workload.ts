/** What runs while faults happen, and what must hold of it in the end. */

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type OuterStep, type Study, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService as Api, type StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { checkHistory, trialStateName } from '@glocal/trainer/testing';
import { Channel } from '../support/grpc.ts';
import { compareTold, essence, type Finding, illegal } from './finding.ts';
import { patiently } from './patience.ts';
import { pauseNowAndThen } from './steering.ts';
import { watchPatiently } from './watching.ts';

/** What came of a run of a workload. */
export interface Outcome {
  /** Name of the study. */
  readonly study: string;
  readonly trials: number;
  readonly outerSteps: number;
  readonly findings: readonly Finding[];
}

/** What a client does about a trial that does not run by itself; it comes back after every fault. */
export type Attend = (address: string, trial: string, signal: AbortSignal) => Promise<void>;

export interface WorkloadOptions {
  readonly name: string;
  readonly study: Study;
  readonly attend?: Attend;
  /** Whether a caller pauses it and lets it go on, now and then. */
  readonly steered?: boolean;
}

export interface RunOptions {
  readonly address: string;
  readonly signal: AbortSignal;
  /** Told whether a trial has lost its process since its last outer step. */
  readonly fragile: (isFragile: boolean) => void;
}

/** A study that is made, followed to its end, and compared with the first one, which nothing disturbed. */
export class Workload {
  readonly name: string;
  readonly #study: Study;
  readonly #attend: Attend | undefined;
  readonly #steered: boolean;
  /** Outer steps of each trial. */
  #expected: readonly (readonly OuterStep[])[] | undefined;

  constructor({ name, study, attend, steered = false }: WorkloadOptions) {
    this.name = name;
    this.#study = study;
    this.#attend = attend;
    this.#steered = steered;
  }

  async run({ address, signal, fragile }: RunOptions): Promise<Outcome> {
    using channel = new Channel(address, undefined, undefined, { 'grpc.max_reconnect_backoff_ms': 1_000 });
    const request = { study: this.#study, requestId: randomUUID() };
    const { name } = await patiently(signal, () => channel.unary(Api.createStudy, request));
    const page = { parent: name, pageSize: 1_000, pageToken: '' };
    const listed = () => patiently(signal, () => channel.unary(Api.listTrials, page));
    const { trials: made } = await listed();
    const isFirst = this.#expected === undefined;
    const [events, steering] = await Promise.all([
      this.#watch(channel, name, signal, fragile),
      this.#steered && !isFirst ? pauseNowAndThen(channel, name, signal) : [],
      ...made.map((trial) => this.#attend?.(address, trial.name, signal)),
    ]);
    const { trials } = await listed();
    const stored = await Promise.all(
      trials.map(({ name: parent }) =>
        patiently(signal, async () => {
          const all = { parent, pageSize: 1_000, pageToken: '', includeWindows: true };
          return (await channel.unary(Api.listOuterSteps, all)).outerSteps;
        }),
      ),
    );
    const study = await patiently(signal, () => channel.unary(Api.getStudy, { name }));
    const history = checkHistory({ events, study, trials });
    const findings = [
      ...steering,
      ...history.map(illegal),
      ...trials.flatMap(ended),
      ...trials.flatMap((trial, i) => compareTold(trial.name, events, stored[i] ?? [])),
    ];
    if (this.#expected === undefined) this.#expected = stored;
    else findings.push(...this.#compare(name, stored, this.#expected));
    return { study: name, trials: trials.length, outerSteps: stored.flat().length, findings };
  }

  /** All stored events, until the study has ended. */
  async #watch(
    channel: Channel,
    name: string,
    signal: AbortSignal,
    fragile: RunOptions['fragile'],
  ): Promise<StudyEvent[]> {
    const events: StudyEvent[] = [];
    const lame = new Set<string>();
    for await (const message of watchPatiently(channel, name, signal)) {
      events.push(message);
      if (message.event?.$case !== 'trial') continue;
      const { name: trial, crashes } = message.event.value;
      if (crashes > 0) lame.add(trial);
      else lame.delete(trial);
      fragile(lame.size > 0);
    }
    return events;
  }

  #compare(
    study: string,
    stored: readonly (readonly OuterStep[])[],
    expected: readonly (readonly OuterStep[])[],
  ): Finding[] {
    return stored.flatMap((path, i) => {
      const other = expected[i] ?? [];
      const longest = Math.max(path.length, other.length);
      const same = (k: number) =>
        isDeepStrictEqual(path[k] && essence(path[k]), other[k] && essence(other[k]));
      const at = Array.from({ length: longest }, (_, k) => k).find((k) => !same(k));
      return at === undefined
        ? []
        : [
            {
              kind: 'diverged' as const,
              text: `trial ${i} of ${study} (${this.name}) at outer step ${at + 1}`,
            },
          ];
    });
  }
}

function ended({ name, state, stateReason }: Trial): Finding[] {
  return state === TrialState.SUCCEEDED
    ? []
    : [illegal(`${name} is ${trialStateName(state)}: ${stateReason}`)];
}
