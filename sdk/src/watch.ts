/** The stream of a study's events, which survives lost connections: nothing is missed, nothing comes twice. */

import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { GlocalError } from './error.ts';
import { decodeEvent, type StudyEvent } from './events.ts';
import type { ParameterMap } from './space.ts';
import type { Transport } from './transport.ts';

/** Options of `study.watch()`. */
export interface WatchOptions {
  /** Cursor of the last event seen; the next one is the first that comes. @default the study's creation */
  readonly cursor?: string | undefined;
  /** Ends the watch: it throws a GlocalError CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a connection after which the watch throws UNAVAILABLE. @default 300000 */
  readonly reconnectTimeout?: number | undefined;
  /** Told each time that the connection is lost or not found again, before the next attempt. */
  readonly onDisconnect?: ((error: GlocalError) => void) | undefined;
}

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5_000;

/** Events from the cursor on, until the study has ended. */
export async function* watch<P extends ParameterMap>(
  transport: Transport,
  name: string,
  { cursor = '', signal, reconnectTimeout = 300_000, onDisconnect }: WatchOptions,
): AsyncGenerator<StudyEvent<P>, void, undefined> {
  let position = cursor;
  let attempts = 0;
  let lostAt = Number.POSITIVE_INFINITY;
  const onOpen = () => {
    attempts = 0;
  };
  for (;;) {
    const request = { name, cursor: position };
    const messages = transport.serverStream(StudyServiceService.watchStudy, request, { signal, onOpen });
    try {
      for await (const message of messages) {
        position = message.cursor;
        const event = decodeEvent<P>(message);
        if (event !== undefined) yield event;
      }
      return;
    } catch (error) {
      if (!(error instanceof GlocalError) || !isPassing(error, attempts > 0)) throw error;
      if (attempts === 0) lostAt = performance.now();
      if (performance.now() - lostAt >= reconnectTimeout) throw error;
      onDisconnect?.(error);
      await transport.pause(error.retryDelay ?? pauseBefore(attempts), signal);
      attempts += 1;
    }
  }
}

/**
 * Whether the same request may soon succeed. A server that has not yet noticed the lost connection still counts it as
 * a watcher, and may refuse another one for a while.
 */
function isPassing({ code, retryDelay }: GlocalError, reconnecting: boolean): boolean {
  return (
    code === 'UNAVAILABLE' || (reconnecting && code === 'RESOURCE_EXHAUSTED' && retryDelay !== undefined)
  );
}

/** Doubles from attempt to attempt; between half of it and all of it, so that watchers do not come back in step. */
function pauseBefore(attempt: number): number {
  return Math.min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE) * (0.5 + Math.random() / 2);
}
