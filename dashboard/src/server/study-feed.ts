/** The events of a study for all tabs that look at it: one watch at the trainer, and what came last for those that come back. */

import { type GlocalClient, GlocalError, type Study, type StudyEvent } from '@glocal/sdk';
import type { TabMessage, TrialRow } from '../api.ts';
import { faultOf } from './fault.ts';
import { studyRow, trialRow } from './rows.ts';
import type { TrialRecords } from './trial-records.ts';

/** Messages that are kept for tabs whose connection was lost. */
const KEPT = 512;
/** A watch that is behind by more events gets a snapshot in their place. */
const MOST_LAG = 256;
/** Milliseconds that the watch stands when no tab looks any more: one that is reloaded comes back. */
const LINGER = 5_000;

/** A message with the cursor after it. */
export interface FeedMessage {
  readonly message: TabMessage;
  readonly cursor: string;
}

export type FeedListener = (message: FeedMessage) => void;

interface FeedOptions {
  readonly client: GlocalClient;
  readonly name: string;
  readonly records: TrialRecords;
  /** Told when nobody has looked for a while: another feed takes its place then. */
  readonly onIdle: () => void;
  readonly log: (line: string) => void;
}

/** What happens to one study. */
export class StudyFeed {
  readonly #options: FeedOptions;
  readonly #listeners = new Set<FeedListener>();
  readonly #kept: FeedMessage[] = [];
  readonly #positions = new Map<string, number>();
  readonly #trials = new Map<string, TrialRow>();
  #study: Study | undefined;
  #cursor = '';
  /** Of the watch that runs. */
  #watch: AbortController | undefined;
  #again = false;
  #idle: NodeJS.Timeout | undefined;
  #gone: string | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /**
   * Tells a listener what happens, from the cursor on where that is still known; else how things are now, with a snapshot.
   * @returns ends it
   */
  subscribe(cursor: string | undefined, listener: FeedListener): () => void {
    clearTimeout(this.#idle);
    this.#listeners.add(listener);
    const from = cursor === undefined ? -1 : this.#kept.findLastIndex((kept) => kept.cursor === cursor);
    if (this.#gone !== undefined) listener(this.#goneMessage(this.#gone));
    else if (from >= 0) for (const kept of this.#kept.slice(from + 1)) listener(kept);
    else if (this.#study !== undefined && cursor !== this.#cursor) listener(this.#snapshot(this.#study));
    if (this.#watch === undefined && this.#gone === undefined) {
      if (this.#study === undefined) this.#cursor = cursor ?? '';
      this.#run();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#idle = setTimeout(() => this.close(), LINGER);
    };
  }

  /** The study has changed: one that had ended may go on, or be gone. */
  wake(): void {
    if (this.#watch === undefined) this.#run();
    else this.#again = true;
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#watch?.abort();
    this.#listeners.clear();
    this.#options.onIdle();
  }

  #run(): void {
    const controller = new AbortController();
    this.#watch = controller;
    this.#again = false;
    void this.#follow(controller.signal).finally(() => {
      if (this.#watch === controller) this.#watch = undefined;
      // What woke it may have come after the last look at it.
      if (this.#again && this.#listeners.size > 0 && this.#gone === undefined) this.#run();
    });
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { client, name, log } = this.#options;
    try {
      const study = await this.#patiently(() => client.studies.get(name), signal);
      this.#study = study;
      for await (const trial of study.trials({ signal })) this.#hear(trial);
      // Who says where they were gets what came after that.
      if (this.#cursor === '') this.#tell(this.#snapshot(study));
      const watch = study.watch({
        cursor: this.#cursor,
        maxLag: this.#cursor === '' ? 1 : MOST_LAG,
        reconnectTimeout: Number.POSITIVE_INFINITY,
        signal,
      });
      for await (const event of watch) {
        const { cursor } = event;
        const message = await this.#messageOf(study, event);
        this.#cursor = cursor;
        this.#tell({ message, cursor });
      }
      // Its last state is that of the trials, too.
      await study.refresh({ signal });
      for await (const trial of study.trials({ signal })) this.#hear(trial);
      this.#tell(this.#snapshot(study));
    } catch (error) {
      if (signal.aborted) return;
      const fault = faultOf(error);
      if (fault.code === 'INTERNAL') log(`watching ${name}: ${error}`);
      // A cursor of another store, or of a study that was made anew.
      if (fault.code === 'OUT_OF_RANGE' || fault.code === 'INVALID_ARGUMENT') {
        if (this.#cursor !== '') this.#again = true;
        this.#cursor = '';
        return;
      }
      if (fault.code === 'NOT_FOUND') this.#gone = fault.message;
      this.#tell(this.#goneMessage(fault.message));
    }
  }

  /** A trainer that is away comes back. */
  async #patiently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof GlocalError) || !error.retryable || signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
  }

  async #messageOf(study: Study, event: StudyEvent): Promise<TabMessage> {
    const { name } = this.#options;
    switch (event.type) {
      case 'study':
        return { type: 'study', study: studyRow(event) };
      case 'trial':
        return { type: 'trial', study: name, trial: this.#hear(event) };
      case 'outerStep': {
        const step = await this.#options.records.heard(study, event);
        return { type: 'step', study: name, trial: event.trial, step };
      }
      case 'progress': {
        const { trial, stepsDone, steps } = event;
        return { type: 'progress', study: name, trial, stepsDone, steps };
      }
      case 'snapshot': {
        for (const trial of event.trials) this.#hear(trial);
        return this.#snapshot(study).message;
      }
    }
  }

  #hear(trial: Parameters<typeof trialRow>[0]): TrialRow {
    const position = this.#positions.get(trial.name) ?? this.#positions.size;
    this.#positions.set(trial.name, position);
    const row = trialRow(trial, position);
    this.#trials.set(trial.name, row);
    return row;
  }

  #snapshot(study: Study): FeedMessage {
    const message: TabMessage = {
      type: 'snapshot',
      study: studyRow(study),
      trials: [...this.#trials.values()],
    };
    return { message, cursor: this.#cursor };
  }

  #goneMessage(text: string): FeedMessage {
    return { message: { type: 'gone', study: this.#options.name, message: text }, cursor: this.#cursor };
  }

  #tell(message: FeedMessage): void {
    // Progress is not stored: whoever comes back gets the next.
    if (message.message.type !== 'progress') this.#kept.push(message);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const listener of this.#listeners) listener(message);
  }
}
