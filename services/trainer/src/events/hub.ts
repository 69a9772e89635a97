/** Wakes the watchers of a study when something happened, and keeps the latest progress of its trials. */

import type { TrialProgress } from '@glocal/proto/glocal/v1/study_service';

/** What is new for a watcher: stored events are read from the store, progress comes along. */
export class EventHub {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #progress = new Map<string, Map<string, TrialProgress>>();

  /** Something was stored for the study. */
  changed(study: string): void {
    const waiting = this.#waiting.get(study);
    this.#waiting.delete(study);
    for (const wake of waiting ?? []) wake();
  }

  /** A trial got on. Only the latest report of a trial is kept. */
  progressed(study: string, progress: TrialProgress): void {
    let trials = this.#progress.get(study);
    if (trials === undefined) {
      trials = new Map();
      this.#progress.set(study, trials);
    }
    trials.set(progress.trial, progress);
    this.changed(study);
  }

  /** The trial has ended: its progress is history. */
  forget(study: string, trial: string): void {
    const trials = this.#progress.get(study);
    trials?.delete(trial);
    if (trials?.size === 0) this.#progress.delete(study);
  }

  /** Latest progress of each running trial of the study. */
  progressOf(study: string): TrialProgress[] {
    return [...(this.#progress.get(study)?.values() ?? [])];
  }

  /** Resolves at the next change, or when the signal is aborted. Call it before reading what may have changed. */
  nextChange(study: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        const waiting = this.#waiting.get(study);
        waiting?.delete(wake);
        if (waiting?.size === 0) this.#waiting.delete(study);
        resolve();
      };
      let waiting = this.#waiting.get(study);
      if (waiting === undefined) {
        waiting = new Set();
        this.#waiting.set(study, waiting);
      }
      waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
