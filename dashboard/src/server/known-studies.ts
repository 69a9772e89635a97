/** What does not change of studies, read once for all the routes that need no more: the space, and the names of the trials. */

import type { GlocalClient, Study } from '@glocal/sdk';

/** So many are known at a time; the one that was asked for longest ago goes first. */
const MOST = 256;

/** A study as it was when it was first asked for. */
export interface KnownStudy {
  readonly study: Study;
  /** By position. */
  readonly trials: readonly string[];
}

/** The studies that a caller has looked at. */
export class KnownStudies {
  readonly #client: GlocalClient;
  readonly #known = new Map<string, Promise<KnownStudy>>();

  constructor(client: GlocalClient) {
    this.#client = client;
  }

  /** @throws GlocalError NOT_FOUND */
  of(name: string): Promise<KnownStudy> {
    const known = this.#known.get(name) ?? this.#read(name);
    this.#known.delete(name);
    this.#known.set(name, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }

  /** It is gone, or may be. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  #read(name: string): Promise<KnownStudy> {
    const read = async (): Promise<KnownStudy> => {
      const study = await this.#client.studies.get(name);
      const trials: string[] = [];
      for await (const { name } of study.trials({ pageSize: 1_000 })) trials.push(name);
      return { study, trials };
    };
    const reading = read();
    reading.catch(() => this.#known.delete(name));
    return reading;
  }
}
