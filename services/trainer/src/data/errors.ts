/** Errors of data: a set that does not exist, is not here, or is not what it should be. */

/** What is wrong. */
export type DataReason =
  /** There is no data set with this id. */
  | 'UNKNOWN_DATASET'
  /** The files are not on this machine and could not be fetched. */
  | 'UNAVAILABLE'
  /** The operating system does not let the file be read. */
  | 'UNREADABLE'
  /** The gz compression is damaged or cut off. */
  | 'CORRUPT'
  /** The file is of another format, or its header makes no sense. */
  | 'FORMAT'
  /** The file is shorter or longer than its header says. */
  | 'SIZE'
  /** Images and labels do not belong together, or a label is not a class. */
  | 'MISMATCH'
  /** A value is missing, is not a number, or is not finite. */
  | 'VALUE'
  /** The file is well-formed, but not the original. */
  | 'CHECKSUM'
  /** The `dataset.json` of a user's data set is not what it should be. */
  | 'MANIFEST'
  /** There are fewer examples than asked for. */
  | 'TOO_FEW_EXAMPLES';

/** Data cannot be used. The message names the file, what was found and what was expected. */
export class DataError extends Error {
  override readonly name = 'DataError';
  readonly reason: DataReason;

  constructor(reason: DataReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
