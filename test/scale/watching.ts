/** What a watcher hears of a fleet's work, and how soon a trial trains again whose worker was killed. */

import type { Study } from '@glocal/sdk';
import type { Told } from './account.ts';

/** A trial whose worker was killed. */
interface Lost {
  readonly killedAt: number;
  /** Of the worker that was killed. */
  readonly attempts: number;
  /** Whether another has it. */
  taken: boolean;
}

export class Watching {
  /** From a worker's death until its trial was seen to train elsewhere, in milliseconds. */
  readonly recoveries: number[] = [];
  readonly #lost = new Map<string, Lost>();
  readonly #attempts = new Map<string, number>();
  #outerSteps = 0;
  #ended = 0;

  /** Outer steps that were told of. */
  get outerSteps(): number {
    return this.#outerSteps;
  }

  /** Trials that have ended. */
  get ended(): number {
    return this.#ended;
  }

  /** A worker that trained this one is dead. */
  lost(trial: string, killedAt: number): void {
    this.#lost.set(trial, { killedAt, attempts: this.#attempts.get(trial) ?? 0, taken: false });
  }

  /** Until the study has ended. */
  async watch(study: Study, signal: AbortSignal): Promise<Told> {
    const cursors: number[] = [];
    const outerSteps: string[] = [];
    for await (const event of study.watch({ signal })) {
      if (event.type === 'progress') {
        this.#trains(event.trial);
        continue;
      }
      cursors.push(Number(event.cursor));
      if (event.type === 'outerStep') {
        outerSteps.push(event.name);
        this.#outerSteps += 1;
        this.#trains(event.trial);
      }
      if (event.type !== 'trial') continue;
      this.#attempts.set(event.name, event.attempts);
      const lost = this.#lost.get(event.name);
      if (lost !== undefined && event.attempts > lost.attempts) lost.taken = true;
      if (event.endTime !== undefined) this.#ended += 1;
    }
    return { cursors, outerSteps };
  }

  #trains(trial: string): void {
    const lost = this.#lost.get(trial);
    if (lost?.taken !== true) return;
    this.recoveries.push(performance.now() - lost.killedAt);
    this.#lost.delete(trial);
  }
}
