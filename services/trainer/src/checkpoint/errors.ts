/** A checkpoint cannot be used; the message says why, and what it is about. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}
