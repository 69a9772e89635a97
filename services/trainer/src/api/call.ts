/** What a method knows of the call that it answers. */

import type { Caller } from '@glocal/proto/glocal/v1/study_service';
import { type Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js';
import type { Span } from '../tracing/tracing.ts';
import { ApiError } from './errors.ts';
import { callerOf } from './interceptors/authenticate.ts';
import { requestIdOf } from './interceptors/request-id.ts';
import { spanOf } from './interceptors/trace-calls.ts';

export interface Call {
  /** Path of the method, for instance `/glocal.v1.StudyService/GetStudy`. */
  readonly method: string;
  /** The caller's, or one made for the call: errors carry it, and the log has it. */
  readonly requestId: string;
  readonly metadata: Metadata;
  /** Undefined where there are none. */
  readonly span?: Span | undefined;
  /** Who calls. */
  readonly caller: Readonly<Caller>;
  /** Address of the caller. */
  readonly peer: string;
  /** When the caller stops waiting; undefined when it waits as long as it takes. */
  readonly deadline: Date | undefined;
  /** Aborted when nobody waits any longer: cancelled, past its deadline, disconnected, or answered. */
  readonly signal: AbortSignal;
  /** Aborted when the server begins to stop: a stream ends itself then, with a `StoppingError`. */
  readonly stopping: AbortSignal;
}

/** Why nobody waits any longer. Made once, as every call ends with one of them: a stack costs more than the rest of an ending. */
const LATE = new ApiError(status.DEADLINE_EXCEEDED, 'DEADLINE', 'the deadline of the call has passed');
const GONE = new ApiError(status.CANCELLED, 'CANCELLED', 'the caller has gone');

/** What all kinds of calls of grpc-js have. */
type SurfaceCall = Pick<
  ServerUnaryCall<unknown, unknown>,
  'getPath' | 'getPeer' | 'getDeadline' | 'metadata'
> & {
  on(event: 'cancelled', listener: () => void): unknown;
};

/** What to know of a call of grpc-js. Must be made before the first event of the call. */
export function callOf(call: SurfaceCall, stopping: AbortSignal): Call {
  const gone = new AbortController();
  const deadline = new Date(call.getDeadline());
  const expires = Number.isFinite(deadline.getTime());
  call.on('cancelled', () => {
    const late = expires && Date.now() >= deadline.getTime();
    gone.abort(late ? LATE : GONE);
  });
  return {
    method: call.getPath(),
    requestId: requestIdOf(call.metadata),
    metadata: call.metadata,
    span: spanOf(call.metadata),
    caller: callerOf(call.metadata),
    peer: call.getPeer(),
    deadline: expires ? deadline : undefined,
    signal: gone.signal,
    stopping,
  };
}
