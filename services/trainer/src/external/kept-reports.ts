/** Reports of the window that is open, on their way to the store: what waits while others are being stored goes there together. */

import type { Report } from '@glocal/proto/glocal/v1/study_service';

/** What of a window the store has. */
export interface Kept {
  readonly reports: number;
  /** Of their rows. */
  readonly values: number;
}

export const NOTHING_KEPT: Kept = { reports: 0, values: 0 };

/** Stores reports that come after `number` others of their window. */
export type AddReports = (reports: readonly Report[], number: number) => Promise<void>;

type Waiting = PromiseWithResolvers<void> & { readonly report: Report };

export class KeptReports {
  readonly #add: AddReports;
  #kept: Kept;
  #waiting: Waiting[] = [];
  #storing: Promise<void> | undefined;
  #closing = false;
  #failed: { readonly error: unknown } | undefined;

  /** @param kept what the store has already. */
  constructor(add: AddReports, kept = NOTHING_KEPT) {
    this.#add = add;
    this.#kept = kept;
  }

  /** What is in the store for sure. */
  get kept(): Kept {
    return this.#kept;
  }

  /**
   * Resolves when a report is stored.
   * @param report nothing of it changes until then.
   */
  keep(report: Report): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed.error);
    const waiting = { ...Promise.withResolvers<void>(), report };
    this.#waiting.push(waiting);
    this.#storing ??= this.#store();
    return waiting.promise;
  }

  /**
   * Stores nothing more.
   * @param store stores what still waits in another way, which is told of by those who wait for it.
   * @throws what the store said to those before.
   */
  async close<T>(store: (kept: Kept) => Promise<T>): Promise<T> {
    this.#closing = true;
    await this.#storing;
    if (this.#failed !== undefined) throw this.#failed.error;
    const left = this.#waiting.splice(0);
    try {
      const result = await store(this.#kept);
      for (const { resolve } of left) resolve();
      return result;
    } catch (error) {
      for (const { reject } of left) reject(error);
      throw error;
    }
  }

  async #store(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#closing) {
      const together = this.#waiting.splice(0);
      const { reports, values } = this.#kept;
      try {
        await this.#add(
          together.map(({ report }) => report),
          reports,
        );
      } catch (error) {
        this.#failed = { error };
        for (const { reject } of [...together, ...this.#waiting.splice(0)]) reject(error);
        break;
      }
      const added = together.reduce((sum, { report }) => sum + valuesOf(report), 0);
      this.#kept = { reports: reports + together.length, values: values + added };
      for (const { resolve } of together) resolve();
    }
    this.#storing = undefined;
  }
}

export const valuesOf = ({ hypergradients }: Report): number =>
  hypergradients.length / Float64Array.BYTES_PER_ELEMENT;
