/** Whose a resource is or was. Who made something owns it for good, so that it is looked up once. */

import { studyOf } from '../resource/names.ts';
import type { Store } from '../store/store.ts';

/** Names that are remembered. */
const MOST = 10_000;

type OwnedStore = Pick<Store, 'getStudy' | 'getDeleted' | 'getArtifact' | 'deletedArtifactOwner'>;

export class Owners {
  readonly #store: OwnedStore;
  /** By the names of studies and artifacts, those used longest ago first. */
  readonly #known = new Map<string, string>();

  constructor(store: OwnedStore) {
    this.#store = store;
  }

  /**
   * Owner of a study or an artifact, also of a deleted one, or of the study that a trial or an outer step belongs to;
   * undefined for what there has never been.
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
    const store = this.#store;
    if (name.startsWith('artifacts/')) {
      return (await store.getArtifact(name))?.artifact.owner ?? store.deletedArtifactOwner(name);
    }
    return ((await store.getStudy(name)) ?? (await store.getDeleted(name)))?.owner;
  }
}
