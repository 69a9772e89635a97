/**
 * Watches a training process from outside: that it does not take more memory than it may, and that it has not come to a
 * stand. A process that computes is alive, however long it says nothing, until the limit of silence.
 */

import type { ProcessUsage } from '../process/usage.ts';

export interface WatchdogLimits {
  /** Resident memory; 0 for no limit. */
  readonly memoryBytes: number;
  /** How long a process may train without telling of a step. */
  readonly silenceMs: number;
}

/** What is wrong with a process, for people. */
export interface Finding {
  readonly kind: 'memory' | 'hang';
  readonly what: string;
}

export const POLL_EVERY_MS = 1_000;
/** A process that neither says anything nor computes for so long has come to a stand: it says that it lives every second. */
const STANDSTILL_MS = 60_000;
/** More than this does not pass from one look to the next, unless we were stopped ourselves or the machine slept. */
const LONGEST_LOOK_MS = 2 * POLL_EVERY_MS;

export class Watchdog {
  readonly #limits: WatchdogLimits;
  readonly #now: () => number;
  #lookedAt: number;
  #ticks: number | undefined;
  /** Time without a sign of life, in milliseconds. */
  #still = 0;
  /** Time without a step. */
  #silent = 0;
  /** Whether it has told that it can train. */
  #started = false;

  /** @param now a clock in milliseconds that only goes forward. */
  constructor(limits: WatchdogLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
    this.#lookedAt = now();
  }

  /** It has said something. */
  heard(): void {
    this.#still = 0;
  }

  /** It has told of what it has done. */
  progressed(): void {
    this.#started = true;
    this.#still = 0;
    this.#silent = 0;
  }

  /**
   * Looks at it; to be called every {@link POLL_EVERY_MS}.
   * @param usage undefined where the system does not tell: it may compute then.
   * @param waits whether it waits for somebody else: for us, the DMD service or a decision.
   */
  look(usage: ProcessUsage | undefined, waits: boolean): Finding | undefined {
    const now = this.#now();
    const passed = Math.min(now - this.#lookedAt, LONGEST_LOOK_MS);
    this.#lookedAt = now;
    const computes = usage === undefined || usage.processorTicks !== this.#ticks;
    this.#ticks = usage?.processorTicks;
    this.#still = computes ? 0 : this.#still + passed;
    // Setting up, it may be loading a data set for long.
    this.#silent = waits || !this.#started ? 0 : this.#silent + passed;
    return this.#tooMuch(usage) ?? this.#standstill() ?? this.#silence();
  }

  #tooMuch(usage: ProcessUsage | undefined): Finding | undefined {
    const { memoryBytes } = this.#limits;
    if (memoryBytes === 0 || usage === undefined || usage.memoryBytes <= memoryBytes) return undefined;
    const taken = inMebibytes(usage.memoryBytes);
    const what = `the training process took ${taken} of memory; ${inMebibytes(memoryBytes)} are allowed`;
    return { kind: 'memory', what };
  }

  #standstill(): Finding | undefined {
    if (this.#still < Math.min(STANDSTILL_MS, this.#limits.silenceMs)) return undefined;
    const what = `the training process neither computed nor said anything for ${inSeconds(this.#still)}`;
    return { kind: 'hang', what };
  }

  #silence(): Finding | undefined {
    if (this.#silent < this.#limits.silenceMs) return undefined;
    return { kind: 'hang', what: `the training process made no step for ${inSeconds(this.#silent)}` };
  }
}

const inMebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`;
const inSeconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
