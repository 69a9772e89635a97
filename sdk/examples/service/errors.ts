/** Errors of the trainer, of its connection and of requests, as JSON. */

import { type ErrorCode, GlocalError } from '@glocal/sdk';
import type { FastifyError, FastifyInstance } from 'fastify';

/** What is not here is not the caller's doing: 502. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  NOT_FOUND: 404,
  FAILED_PRECONDITION: 409,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** What a caller is told of an error. */
export function errorBody(error: unknown): object {
  if (!(error instanceof GlocalError)) return { code: 'INTERNAL', message: 'something went wrong here' };
  const { code, reason, message, fieldViolations, requestId } = error;
  return { code, reason, message, fields: fieldViolations, requestId };
}

/** Whatever a handler throws, and what Fastify refuses before it. */
export function answerWithJson(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError | GlocalError>((error, request, reply) => {
    if (error instanceof GlocalError) {
      // Retry-After is in seconds.
      if (error.retryDelay !== undefined) reply.header('retry-after', Math.ceil(error.retryDelay / 1000));
      return reply.code(STATUS[error.code] ?? 502).send(errorBody(error));
    }
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send({ code: error.code, message: error.message });
    request.log.error(error);
    return reply.code(500).send(errorBody(error));
  });
}
