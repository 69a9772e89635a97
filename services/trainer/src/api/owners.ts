/** Whose a resource is. Who made something owns it for good, so that it is looked up once. */

import { studyOf } from '../resource/names.ts';
import type { Store } from '../store/store.ts';

/** Names that are remembered. */
const MOST = 10_000;

export class Owners {
  readonly #store: Pick<Store, 'getStudy' | 'getArtifact'>;
  /** By the names of studies and artifacts, those used longest ago first. */
  readonly #known = new Map<string, string>();

  constructor(store: Pick<Store, 'getStudy' | 'getArtifact'>) {
    this.#store = store;
  }

  /**
   * Owner of a study or an artifact, or of the study that a trial or an outer step belongs to; undefined for what there is
   * not.
   */
  async of(name: string): Promise<string | undefined> {
    const whole = studyOf(name);
    const owner = this.#known.get(whole) ?? (await this.#lookUp(whole));
    if (owner === undefined) return undefined;
    this.#known.delete(whole);
    this.#known.set(whole, owner);
    if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value as string);
    return owner;
  }

  async #lookUp(name: string): Promise<string | undefined> {
    if (name.startsWith('artifacts/')) return (await this.#store.getArtifact(name))?.artifact.owner;
    return (await this.#store.getStudy(name))?.owner;
  }
}
