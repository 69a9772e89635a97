/** What keeps a trial from being trained on this machine, and may not be so on another. */

import { BackendError } from '../backend/errors.ts';
import { DataError } from '../data/errors.ts';
import { ModelError } from '../model/errors.ts';

/** The trial's data set is another one here. */
export class OtherDatasetError extends Error {
  override readonly name = 'OtherDatasetError';
}

/** Whether a backend, data or a model is missing here, or is another one. */
export const isUnfit = (error: unknown): boolean =>
  [OtherDatasetError, BackendError, DataError, ModelError].some((kind) => error instanceof kind);
