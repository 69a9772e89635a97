/** What one caller looks at: a client, and what its tabs share, so that twenty of them ask the trainer no more than one. */

import type { GlocalClient } from '@glocal/sdk';
import { Driving } from './driving.ts';
import { KnownStudies } from './known-studies.ts';
import { StudyFeed } from './study-feed.ts';
import { StudyIndex } from './study-index.ts';
import { TrialRecords } from './trial-records.ts';

/** A caller. */
export class Caller implements AsyncDisposable {
  readonly client: GlocalClient;
  readonly index: StudyIndex;
  readonly studies: KnownStudies;
  readonly records = new TrialRecords();
  readonly driving: Driving;
  /** When the trainer last took its token. */
  provenAt = 0;
  readonly #feeds = new Map<string, StudyFeed>();
  readonly #ended = new AbortController();
  readonly #log: (line: string) => void;

  constructor(client: GlocalClient, log: (line: string) => void) {
    this.client = client;
    this.#log = log;
    this.index = new StudyIndex(client, (name) => this.#feeds.get(name)?.wake());
    this.studies = new KnownStudies(client);
    this.driving = new Driving(client);
  }

  /** Aborted when its token is refused or the dashboard ends: its tabs are closed. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** The events of a study, for all tabs that look at it. */
  feed(name: string): StudyFeed {
    const known = this.#feeds.get(name);
    if (known !== undefined) return known;
    const { client, records } = this;
    const onIdle = () => this.#feeds.delete(name);
    const feed = new StudyFeed({ client, name, records, onIdle, log: this.#log });
    this.#feeds.set(name, feed);
    return feed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    this.index.close();
    for (const feed of this.#feeds.values()) feed.close();
    await this.driving[Symbol.asyncDispose]();
    this.client.close();
  }
}
