/** Messages from and to bytes, with typed errors: what grpc-js reports of either is INTERNAL without a word in the log. */

import { type MethodDefinition, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { MAX_MESSAGE_BYTES } from '../resource/message-size.ts';
import { quote } from '../resource/quote.ts';
import type { Call } from './call.ts';
import { ApiError } from './errors.ts';

/** A response that is encoded already, for instance because others are sent the same. */
export class Encoded<_Response> {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** @throws ApiError INVALID_ARGUMENT when the bytes are not a message of the request's type. */
export function decodeRequest<Request>(
  { requestDeserialize }: Pick<MethodDefinition<Request, unknown>, 'requestDeserialize'>,
  bytes: Buffer,
): Request {
  try {
    return requestDeserialize(bytes);
  } catch (error) {
    throw new ApiError(
      status.INVALID_ARGUMENT,
      'MALFORMED_REQUEST',
      `the request cannot be decoded as its protobuf message: ${quote(error instanceof Error ? error.message : String(error))}`,
      { cause: error },
    );
  }
}

/**
 * The bytes of a response.
 * @throws ApiError INTERNAL when a field does not fit its type, RESOURCE_EXHAUSTED when clients would not receive it.
 */
export function encodeResponse<Response>(
  { responseSerialize }: Pick<MethodDefinition<unknown, Response>, 'responseSerialize'>,
  response: Response | Encoded<Response>,
  { method, requestId, span }: Pick<Call, 'method' | 'requestId' | 'span'>,
  log: Logger,
): Buffer {
  const bytes = response instanceof Encoded ? response.bytes : serialize(response);
  if (bytes.length <= MAX_MESSAGE_BYTES) return bytes;
  throw tooLarge(bytes.length);

  function serialize(message: Response): Buffer {
    try {
      return responseSerialize(message);
    } catch (error) {
      log.error({ requestId, traceId: span?.traceId, method, err: error }, 'a response cannot be encoded');
      throw new ApiError(
        status.INTERNAL,
        'SERIALIZATION',
        `the answer cannot be encoded; the server's log has it under request ${requestId}`,
        { cause: error },
      );
    }
  }
}

/** @param remedy what to do instead. */
export const tooLarge = (bytes: number, remedy = ''): ApiError =>
  new ApiError(
    status.RESOURCE_EXHAUSTED,
    'MESSAGE_SIZE',
    `the answer has ${bytes} bytes, and a message may have ${MAX_MESSAGE_BYTES}${remedy && `; ${remedy}`}`,
  );
