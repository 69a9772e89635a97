/** What keeps a trial from being trained on this machine, and may not be so on another. */

import { BackendError } from '../backend/errors.ts';
import { DataError } from '../data/errors.ts';
import { ModelError } from '../model/errors.ts';

/** The trial's data set is another one here. */
export class OtherDatasetError extends Error {
  override readonly name = 'OtherDatasetError';
}

/**
 * The module of the trial is not here, or could not be loaded. The server that took the study has loaded it, so that it is the files
 * of this machine that are at fault. What the module does once it is loaded is the trial's.
 */
export class ModuleNotLoadedError extends Error {
  override readonly name = 'ModuleNotLoadedError';
}

/** Whether a backend, data, a model or a module is missing here, or is another one. */
export const isUnfit = (error: unknown): boolean =>
  [OtherDatasetError, ModuleNotLoadedError, BackendError, DataError, ModelError].some(
    (kind) => error instanceof kind,
  );
