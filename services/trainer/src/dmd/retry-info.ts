/** What the DMD service says about coming again, in the google.rpc details of an error. */

import { RetryInfo } from '@glocal/proto/google/rpc/error_details';
import { Status } from '@glocal/proto/google/rpc/status';
import type { ServiceError } from '@grpc/grpc-js';

/** @returns undefined for an error without details; null for one whose details do not say when to come again. */
export function retryInfo(error: unknown): RetryInfo | null | undefined {
  const [trailer] = (error as Partial<ServiceError>).metadata?.get('grpc-status-details-bin') ?? [];
  if (!(trailer instanceof Uint8Array)) return undefined;
  const info = Status.decode(trailer).details.find(({ typeUrl }) => typeUrl.endsWith('google.rpc.RetryInfo'));
  return info === undefined ? null : RetryInfo.decode(info.value);
}
