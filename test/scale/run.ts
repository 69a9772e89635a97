/** A fleet that works off trials while its processes are killed, and what came of it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../faults/finding.ts';
import { type FleetProcess, RoleFleet, workerName } from '../support/role-fleet.ts';
import { accountFor } from './account.ts';
import { BACKEND, endedTrials, undisturbed } from './ended.ts';
import { type Kill, planKills } from './kills.ts';
import { type Asked, askedBetween, Meter } from './meter.ts';
import { OUTER_STEPS, scaleStudy, studySizes } from './study.ts';
import { Watching } from './watching.ts';

export interface ScaleOptions {
  readonly trials: number;
  readonly servers: number;
  readonly workers: number;
  /** Share of all processes that are killed, once each. */
  readonly killRate: number;
  readonly seed: number;
  /** @default 10 s, as `--lease-seconds` */
  readonly leaseMs?: number;
  readonly signal?: AbortSignal;
  /** Told a few times a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Told of what happens, in words. */
  readonly onStage?: (what: string) => void;
}

export interface Progress {
  readonly trialsEnded: number;
  readonly kills: number;
  /** Of all outer steps. */
  readonly share: number;
  /** Since the fleet was given its work. */
  readonly seconds: number;
}

export interface ScaleResult {
  readonly findings: readonly Finding[];
  readonly kills: number;
  readonly trials: number;
  readonly windows: number;
  /** From when the fleet was given its work until all of it was done. */
  readonly seconds: number;
  /** Milliseconds from a worker's death until its trial was seen to train elsewhere. */
  readonly recoveries: readonly number[];
  /** Of the database, in all. */
  readonly asked: Asked;
  /** The same, by quarters of the work. */
  readonly quarters: readonly (Asked & { readonly windows: number })[];
}

const LEASE_MS = 10_000;
const LOOK_EVERY_MS = 100;
const TELL_EVERY_MS = 1_000;
const ROOM = ['--max-active-studies', '100000', '--max-watchers', '100000'];

/** @throws whatever aborts the signal. */
export async function runScale(options: ScaleOptions): Promise<ScaleResult> {
  const { trials, servers, workers, killRate, seed, leaseMs = LEASE_MS, onStage = () => {} } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, ...(options.signal ? [options.signal] : [])]);
  const sizes = studySizes(trials);
  onStage('a run that nobody disturbs, of one process');
  const expected = await undisturbed(scaleStudy(sizes[0] ?? 0), signal);

  onStage(`a database, ${servers} servers and ${workers} workers`);
  await using fleet = await RoleFleet.start({
    ...{ servers, workers, leaseMs, args: [...BACKEND, ...ROOM, '--max-worker-deaths', '0'] },
    settings: { ...Meter.SETTINGS, max_connections: String(20 + 12 * (servers + workers)) },
  });
  // Rather than stopped, which takes a while.
  await using _ = { [Symbol.asyncDispose]: () => fleet.kill() };
  const meter = await Meter.of(fleet.postgres, fleet.url);
  const watching = new Watching();
  const windows = trials * OUTER_STEPS;
  let kills = 0;
  const share = () => watching.outerSteps / windows;

  const before = await meter.read();
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1_000;
  let done = false;
  try {
    const studies = await Promise.all(
      sizes.map((size) => fleet.client.studies.create(scaleStudy(size), { signal })),
    );
    const told = Promise.all(studies.map((study) => watching.watch(study, signal))).finally(() => {
      done = true;
    });
    const parts = [told, makeKills(), metered(), tellProgress()] as const;
    for (const part of parts) part.catch((error: unknown) => over.abort(error));
    const [heard, , quarters] = await Promise.all(parts);
    const took = seconds();
    const asked = askedBetween(before, await meter.read());
    onStage('accounting for everything');
    const findings: Finding[] = [];
    for (const [i, study] of studies.entries()) {
      const ended = await endedTrials(study, signal);
      findings.push(...accountFor(study.name, sizes[i] ?? 0, ended, heard[i] ?? NOTHING, expected));
    }
    const { recoveries } = watching;
    return { findings, kills, trials, windows, seconds: took, recoveries, asked, quarters };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }

  async function makeKills(): Promise<void> {
    const restarts: Promise<unknown>[] = [];
    for (const kill of planKills(fleet.processes.length, killRate, seed)) {
      while (share() < kill.at && !done) await pause();
      await sleep(kill.delayMs, undefined, { signal });
      await make(kill);
      restarts.push(sleep(kill.goneMs, undefined, { signal }).then(() => processOf(kill).start()));
      kills += 1;
    }
    await Promise.all(restarts);
  }

  function processOf({ victim }: Kill): FleetProcess {
    return fleet.processes[victim] as FleetProcess;
  }

  /** Resolves when it is dead. */
  async function make(kill: Kill): Promise<void> {
    const killedAt = performance.now();
    await processOf(kill).kill();
    if (processOf(kill).role === 'server') return;
    // None of them can be another's yet: the lease lasts.
    const claimed = await meter.claimedBy(workerName(kill.victim - servers));
    for (const trial of claimed) watching.lost(trial, killedAt);
  }

  async function metered(): Promise<(Asked & { windows: number })[]> {
    const quarters: (Asked & { windows: number })[] = [];
    let from = { ...before, windows: 0 };
    for (const end of [0.25, 0.5, 0.75, 1]) {
      while (share() < end && !done) await pause();
      const to = { ...(await meter.read()), windows: watching.outerSteps };
      quarters.push({ ...askedBetween(from, to), windows: to.windows - from.windows });
      from = to;
    }
    return quarters;
  }

  async function tellProgress(): Promise<void> {
    while (!done) {
      const progress = { trialsEnded: watching.ended, kills, share: share(), seconds: seconds() };
      options.onProgress?.(progress);
      const ended = fleet.processes.find(({ endedByItself }) => endedByItself !== undefined);
      if (ended !== undefined) throw new Error(ended.endedByItself);
      for (let waited = 0; waited < TELL_EVERY_MS && !done; waited += LOOK_EVERY_MS) await pause();
    }
  }

  async function pause(): Promise<void> {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

const NOTHING = { cursors: [], outerSteps: [] };
