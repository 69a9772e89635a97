/**
 * Where large things are kept by name: checkpoints, and the files that callers have uploaded.
 *
 * A key is a path of plain names with slashes; a prefix is empty or ends with a slash. An object is there as a whole or not at
 * all. One suite of tests (`object-store-contract.ts`) runs against every implementation.
 */

import type { ObjectsLocation } from './location.ts';

/** An object that is kept. */
export interface StoredObject {
  readonly key: string;
  /** Its size. */
  readonly bytes: number;
  /** When it was put, by the clock of whoever keeps it. */
  readonly modified: Date;
}

/** Methods throw ObjectStoreError where the store is elsewhere, and what the system says of a folder. */
export interface ObjectStore {
  /** Opens the same in another process. */
  readonly location: ObjectsLocation;
  /** Of one object; undefined for any size. */
  readonly maxBytes?: number | undefined;

  /** Durable when it resolves; then it replaces an object of the same key, and before that it changes nothing. */
  put(key: string, bytes: Uint8Array): Promise<void>;

  /** The same with the content of a file, of any size. @param path of the file. */
  putFile(key: string, path: string): Promise<void>;

  /** Undefined when there is no such object. */
  get(key: string): Promise<Uint8Array | undefined>;

  /** Writes an object to a file, which must not be there. @returns whether there is such an object. */
  getFile(key: string, path: string): Promise<boolean>;

  /** Of all objects below a prefix, in no particular order. */
  list(prefix: string): AsyncIterable<StoredObject>;

  /** No matter whether there is such an object. */
  remove(key: string): Promise<void>;

  /** Removes all that is below a prefix. */
  removeAll(prefix: string): Promise<void>;

  /**
   * Removes what was begun below a prefix and never came to its end.
   * @param before only what was begun before; undefined for all of it.
   */
  discardIncomplete(prefix: string, before?: Date): Promise<void>;

  /** Resolves when it can be read. */
  check(): Promise<void>;

  close(): void;
}
