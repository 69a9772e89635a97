/** Studies run while faults are made at seeded moments, until there were enough; then everything is accounted for. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Clerk } from './clerk.ts';
import type { Fault } from './fault.ts';
import { doubled, type Finding } from './finding.ts';
import { Random } from './random.ts';
import type { Outcome, Workload } from './workload.ts';

/** What faults are made in. */
export interface Subject {
  /** For clients, at any time. */
  readonly address: string;
  /** Lines of the log of all its servers. */
  readonly log: readonly string[];
  /** Ends all of it and starts it again: what was left half done is cleared away. */
  readonly renew: () => Promise<void>;
  /** What it keeps though nothing needs it. @param artifacts that there must be. */
  readonly leftOver: (artifacts: readonly string[]) => Promise<readonly string[]>;
}

export interface CampaignOptions {
  /** Kills to make. */
  readonly kills: number;
  /** Other faults to make in between. */
  readonly others: number;
  readonly seed: number;
  readonly workloads: readonly Workload[];
  readonly signal: AbortSignal;
  /** Told of each fault. */
  readonly onFault: (fault: string, kills: number) => void;
}

export interface Tally {
  /** How many there were, by name. */
  readonly faults: ReadonlyMap<string, number>;
  readonly kills: number;
  readonly studies: number;
  readonly trials: number;
  readonly outerSteps: number;
  readonly findings: readonly Finding[];
  /** Log of the servers. */
  readonly log: readonly string[];
}

/** Milliseconds from one fault to the next. */
const INTERVAL = [100, 1_200] as const;

/** Milliseconds in which a watcher, who may have to connect again, has heard of what a trial lost its process by. */
const HEARD_WITHIN = 3_000;

/** Milliseconds for which a server is young: some outer steps. */
const YOUTH = 6_000;

/** Milliseconds to wait until a fault can be made. */
const PATIENCE = 10_000;

export async function runCampaign<S extends Subject>(
  service: S,
  possibleFaults: readonly Fault<S>[],
  options: CampaignOptions,
): Promise<Tally> {
  const { seed, workloads, onFault } = options;
  const random = new Random(seed);
  const faults = new Map<string, number>();
  const outcomes: Outcome[] = [];
  const fragile = new Map<string, boolean>();
  let kills = 0;
  let others = 0;
  let lamedAt = Number.NEGATIVE_INFINITY;
  let startedAt = Number.NEGATIVE_INFINITY;

  for (const workload of workloads) outcomes.push(await run(workload, options.signal));
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  using clerk = new Clerk(service.address, signal);
  // All of them, before the service is stopped: a fault that is being made may start a server.
  const parts = await Promise.allSettled(
    [makeFaults(), ...workloads.map(runOn), untilEnough(() => clerk.work())].map(endingAll),
  );
  signal.throwIfAborted();
  for (const part of parts) if (part.status === 'rejected') throw part.reason;
  await service.renew();
  const accounts = await clerk.account(outcomes.map(({ study }) => study));
  // Checkpoints too, as every trial has ended.
  const left = await service.leftOver(clerk.artifacts);
  const leftOver = left.map((name) => doubled(`${name}, which is left over`));
  return {
    faults,
    kills,
    studies: outcomes.length + clerk.made,
    trials: sum(({ trials }) => trials),
    outerSteps: sum(({ outerSteps }) => outerSteps),
    findings: [...outcomes.flatMap(({ findings }) => findings), ...accounts, ...leftOver],
    log: service.log,
  };

  async function makeFaults(): Promise<void> {
    while (!enough()) {
      await sleep(random.between(...INTERVAL), undefined, { signal });
      const kill = others >= options.others || (kills < options.kills && random.oneOf([true, false]));
      const fault = random.oneOf(possibleFaults.filter(({ kills: counts }) => counts === kill));
      if (!(await becomesPossible(fault))) continue;
      if (!(await fault.make(service, random))) continue;
      if (fault.lames) lamedAt = performance.now();
      if (fault.restarts) startedAt = performance.now();
      if (fault.kills) kills += 1;
      else others += 1;
      faults.set(fault.name, (faults.get(fault.name) ?? 0) + 1);
      onFault(fault.name, kills);
    }
  }

  /** Waits for it, so that faults that are seldom possible are made as often as others. */
  async function becomesPossible({ possible }: Fault<S>): Promise<boolean> {
    const until = performance.now() + PATIENCE;
    while (performance.now() < until) {
      const unheard = performance.now() < lamedAt + HEARD_WITHIN;
      const situation = {
        fragile: unheard || [...fragile.values()].includes(true),
        young: performance.now() < startedAt + YOUTH,
      };
      if (possible?.(service, situation) ?? true) return true;
      await sleep(100, undefined, { signal });
    }
    return false;
  }

  function enough(): boolean {
    return kills >= options.kills && others >= options.others;
  }

  async function untilEnough(work: () => Promise<void>): Promise<void> {
    while (!enough()) await work();
  }

  /** One study after another while faults are made. */
  function runOn(workload: Workload): Promise<void> {
    return untilEnough(async () => {
      outcomes.push(await run(workload, signal));
    });
  }

  function run(workload: Workload, until: AbortSignal): Promise<Outcome> {
    const { address } = service;
    return workload.run({ address, signal: until, fragile: (is) => fragile.set(workload.name, is) });
  }

  /** What fails ends the others, too. */
  function endingAll(part: Promise<void>): Promise<void> {
    return part.catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  }

  function sum(count: (outcome: Outcome) => number): number {
    return outcomes.reduce((total, outcome) => total + count(outcome), 0);
  }
}

/** The last line of a report. */
export function verdictOf({ findings }: Pick<Tally, 'findings'>): string {
  const count = (kind: Finding['kind']) => findings.filter((finding) => finding.kind === kind).length;
  const illegal = count('illegal') === 0 ? '' : `, illegal ${count('illegal')}`;
  return `lost ${count('lost')}, doubled ${count('doubled')}, diverged trajectories ${count('diverged')}${illegal}`;
}
