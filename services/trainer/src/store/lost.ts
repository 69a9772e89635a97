/** When a trial is no longer whose who thought so. */

import { NotFoundError, StateError } from '../resource/errors.ts';
import { StaleEpochError } from './errors.ts';

/** Whether the store refuses because somebody else has changed the trial, trains it now, or has deleted it. */
export const isLost = (error: unknown): boolean =>
  [StateError, StaleEpochError, NotFoundError].some((kind) => error instanceof kind);
