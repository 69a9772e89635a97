/**
 * Which calls are repeated when the server could not be reached, and how patiently.
 *
 * gRPC's own retry policy does it (gRFC A6, implemented in grpc-js): it repeats a call only as long as no answer has
 * begun, keeps to the call's deadline, adds jitter, and obeys a server that asks for more or less patience.
 */

import { StudyServiceDefinition } from '@glocal/proto/glocal/v1/study_service';
import { status } from '@grpc/grpc-js';
import type { RetryOptions } from './options.ts';

const BACKOFF_MULTIPLIER = 3;

const { fullName: service, methods } = StudyServiceDefinition;

/** The methods that the contract marks with an `idempotency_level`; but a watch goes on from its own cursor (`watch.ts`). */
const idempotentMethods = Object.values(methods).filter(
  (method) => 'idempotencyLevel' in method.options && method !== methods.watchStudy,
);

/** The channel's service config: JSON, as gRPC defines it. */
export function serviceConfig({
  maxAttempts = 5,
  initialBackoff = 100,
  maxBackoff = 5_000,
}: RetryOptions = {}): string {
  if (maxAttempts < 2) return JSON.stringify({});
  const name = idempotentMethods.map((method) => ({ service, method: method.name }));
  const retryPolicy = {
    maxAttempts,
    initialBackoff: seconds(initialBackoff),
    maxBackoff: seconds(maxBackoff),
    backoffMultiplier: BACKOFF_MULTIPLIER,
    retryableStatusCodes: [status[status.UNAVAILABLE]],
  };
  return JSON.stringify({ methodConfig: [{ name, retryPolicy }] });
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(3)}s`;
