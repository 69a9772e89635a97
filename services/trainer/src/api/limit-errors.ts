/** What a caller is told when a limit on studies would be passed. */

import { status } from '@grpc/grpc-js';
import { ActiveStudiesError, OwnerActiveStudiesError, StudiesError } from '../store/errors.ts';
import { ApiError } from './errors.ts';

const RETRY_MS = 30_000;

/** Reasons for programs. Whether one has only to wait: active studies end by themselves, studies are there to stay. */
const LIMITS = [
  [ActiveStudiesError, 'ACTIVE_STUDIES', { retryAfterMs: RETRY_MS }],
  [OwnerActiveStudiesError, 'OWNER_ACTIVE_STUDIES', { retryAfterMs: RETRY_MS }],
  [StudiesError, 'STUDIES', {}],
] as const;

/** Does something; where the store refuses it for a limit, the caller is told RESOURCE_EXHAUSTED. */
export async function limitErrors<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const [, reason, options] = LIMITS.find(([kind]) => error instanceof kind) ?? [];
    if (reason === undefined) throw error;
    throw new ApiError(status.RESOURCE_EXHAUSTED, reason, (error as Error).message, options);
  }
}
