/** What other processes are to be told: each topic once, and progress not more often than anybody looks at it. */

import { type Notice, topicOf } from './notice.ts';

/** Between two reports of a trial's progress, in milliseconds. */
const PROGRESS_EVERY_MS = 500;
/** More topics than these are told as one: that everything has changed. */
const MAX_TOPICS = 10_000;

/** A notice that waits. */
interface Waiting {
  readonly notice: Notice;
  /** When it may be told, on the clock of {@link performance}. */
  readonly due: number;
}

export class Outbox {
  readonly #waiting = new Map<string, Waiting>();
  /** When the progress of a trial may be told next, by its topic. */
  readonly #progressDue = new Map<string, number>();

  /** @param now in milliseconds, here as below. */
  add(notice: Notice, now: number): void {
    const topic = topicOf(notice);
    let due = now;
    if (notice.kind === 'progressed') due = Math.max(now, this.#progressDue.get(topic) ?? now);
    if (notice.kind === 'forgotten') this.#progressDue.delete(topic);
    this.#waiting.set(topic, { notice, due });
    if (this.#waiting.size <= MAX_TOPICS) return;
    this.#waiting.clear();
    this.#waiting.set('everything', { notice: { kind: 'everything' }, due: now });
  }

  /** Those that are due; they wait no longer. */
  take(now: number): Notice[] {
    const taken: Notice[] = [];
    for (const [topic, { notice, due }] of this.#waiting) {
      if (due > now) continue;
      this.#waiting.delete(topic);
      taken.push(notice);
      if (notice.kind === 'progressed') this.#progressDue.set(topic, now + PROGRESS_EVERY_MS);
    }
    return taken;
  }

  /** Those could not be told: they wait again, unless there is something later about the same. */
  giveBack(notices: readonly Notice[], now: number): void {
    for (const notice of notices) {
      const topic = topicOf(notice);
      if (notice.kind === 'progressed') this.#progressDue.delete(topic);
      if (!this.#waiting.has(topic)) this.add(notice, now);
    }
  }

  /** When the next one is due; undefined when none waits. */
  get due(): number | undefined {
    let first: number | undefined;
    for (const { due } of this.#waiting.values()) first = Math.min(first ?? due, due);
    return first;
  }
}
