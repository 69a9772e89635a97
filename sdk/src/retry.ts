/**
 * Which calls are made again, and how patiently.
 *
 * gRPC's own retry policy (gRFC A6) does not know `google.rpc.RetryInfo`, in which a server says when to come back, and tells
 * nobody of its attempts. So the channel has no policy, and calls are repeated here: with the same backoff, within the
 * call's time. What gRPC repeats without a policy, because it has never left this machine, it still does.
 */

import { DmdServiceDefinition } from '@glocal/proto/glocal/v1/dmd';
import { StudyServiceDefinition } from '@glocal/proto/glocal/v1/study_service';
import type { GlocalError } from './error.ts';
import type { RetryOptions } from './options.ts';

const BACKOFF_MULTIPLIER = 3;
/** Pauses differ by this share, so that clients do not come in step. */
const JITTER = 0.2;

/** Paths of the methods that the contract marks with an `idempotency_level`. */
const idempotent: ReadonlySet<string> = new Set(
  [StudyServiceDefinition, DmdServiceDefinition].flatMap(({ fullName, methods }) =>
    Object.values(methods)
      .filter(({ options }) => 'idempotencyLevel' in options)
      .map(({ name }) => `/${fullName}/${name}`),
  ),
);

/** Whether the contract says that a call of this method can be made twice. */
export const isIdempotent = (path: string): boolean => idempotent.has(path);

/**
 * Milliseconds to wait before an idempotent call is made again; undefined when it is not to be.
 * @param attempts how many there were, at least 1
 * @param left milliseconds that the call still has. Pauses of our own take half of them at most, so that a server which comes back late
 *   in that time is found, too
 */
export function pauseAfter(
  { code, retryDelay }: GlocalError,
  attempts: number,
  left: number,
  { maxAttempts = Number.POSITIVE_INFINITY, initialBackoff = 100, maxBackoff = 5_000 }: RetryOptions,
): number | undefined {
  if (attempts >= maxAttempts) return undefined;
  const mayCome = code === 'UNAVAILABLE' || (code === 'RESOURCE_EXHAUSTED' && retryDelay !== undefined);
  if (!mayCome) return undefined;
  // Not before the server said.
  if (retryDelay !== undefined) {
    const asked = retryDelay * (1 + JITTER * Math.random());
    return asked < left ? asked : undefined;
  }
  if (left < 2 * initialBackoff) return undefined;
  const backoff = Math.min(initialBackoff * BACKOFF_MULTIPLIER ** (attempts - 1), maxBackoff);
  return Math.min(backoff * (1 - JITTER + 2 * JITTER * Math.random()), left / 2);
}
