/** What a store can answer instead of doing what it was asked; besides these NotFoundError and StateError. */

/** The store could not do what was asked; the message says why. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
}

/** A request id was used before for another study. */
export class RequestIdReusedError extends StoreError {
  override readonly name = 'RequestIdReusedError';
}

/** As many studies are ACTIVE as may be. */
export class ActiveStudiesError extends StoreError {
  override readonly name = 'ActiveStudiesError';
}

/** As many studies of one owner are ACTIVE as may be. */
export class OwnerActiveStudiesError extends StoreError {
  override readonly name = 'OwnerActiveStudiesError';
}

/** As many studies are kept as may be. */
export class StudiesError extends StoreError {
  override readonly name = 'StudiesError';
}

/** Somebody else has claimed the trial since: whoever gets this must stop training it. */
export class StaleEpochError extends StoreError {
  override readonly name = 'StaleEpochError';
}

/** The store cannot write for now, as on a full disk; nothing was changed, and the same call may succeed later. */
export class StoreUnavailableError extends StoreError {
  override readonly name = 'StoreUnavailableError';
}
