/** What a store of objects can answer instead of doing what it was asked. */

/**
 * `away`: it does not answer, and may later. `refused`: not to us, or there is no such bucket. `full`: it takes no more.
 * `too large`: it takes no object of that size.
 */
export type ObjectStoreFailure = 'away' | 'refused' | 'full' | 'too large';

/**
 * A store of objects elsewhere did not do what it was asked; the message says which one, why, and names the setting. It has
 * no cause: what a client of such a store throws may hold keys and signatures.
 */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
  readonly failure: ObjectStoreFailure;

  constructor(failure: ObjectStoreFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}
