/** Errors as HTTP answers them. */

import { GlocalError } from '@glocal/sdk';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Fault } from '../api.ts';

/** As google.api maps gRPC's codes. */
const STATUS: Readonly<Record<string, ContentfulStatusCode>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ABORTED: 409,
  ALREADY_EXISTS: 409,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499 as ContentfulStatusCode,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** What the page is told of an error; one that is no GlocalError is a fault of ours, whose text stays here. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof GlocalError))
    return { code: 'INTERNAL', message: 'the dashboard failed; its log says how', fieldViolations: [] };
  const { code, reason, message, fieldViolations, requestId } = error;
  return { code, reason, message, fieldViolations, requestId };
}

export const statusOf = ({ code }: Fault): ContentfulStatusCode => STATUS[code] ?? 500;
