/** The stream of a study's events, which survives lost connections: nothing is missed, nothing comes twice. */

import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { GlocalError } from './error.ts';
import { decodeEvent, type StudyEvent } from './events.ts';
import { Outage } from './outage.ts';
import type { ParameterMap } from './space.ts';
import type { Transport } from './transport.ts';

/** Options of `study.watch()`. */
export interface WatchOptions {
  /** Cursor of the last event seen; the next one is the first that comes. @default the study's creation */
  readonly cursor?: string | undefined;
  /** Ends the watch: it throws a GlocalError CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds without a connection after which the watch throws UNAVAILABLE. Those of several attempts add up until an
   * event has come, or a connection has stood for ten seconds. @default 300000
   */
  readonly reconnectTimeout?: number | undefined;
  /** Told each time that the connection is lost or not found again, before the next attempt. */
  readonly onDisconnect?: ((error: GlocalError) => void) | undefined;
}

/** Events from the cursor on, until the study has ended. */
export async function* watch<P extends ParameterMap>(
  transport: Transport,
  name: string,
  { cursor = '', signal, reconnectTimeout = 300_000, onDisconnect }: WatchOptions,
): AsyncGenerator<StudyEvent<P>, void, undefined> {
  let position = cursor;
  const outage = new Outage();
  const onOpen = () => outage.opened();
  for (;;) {
    const request = { name, cursor: position, maxLag: 0 };
    const messages = transport.serverStream(StudyServiceService.watchStudy, request, { signal, onOpen });
    try {
      for await (const message of messages) {
        // Progress repeats the cursor of the event before.
        if (message.cursor !== position) outage.over();
        position = message.cursor;
        const event = decodeEvent<P>(message);
        if (event !== undefined) yield event;
      }
      return;
    } catch (error) {
      if (!(error instanceof GlocalError) || !isPassing(error, outage.failures > 0)) throw error;
      outage.lost();
      if (outage.duration >= reconnectTimeout) throw error;
      onDisconnect?.(error);
      await transport.pause(error.retryDelay ?? outage.pause, signal);
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
