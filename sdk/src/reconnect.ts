/** Streams that survive lost connections. */

import { GlocalError } from './error.ts';
import { Outage } from './outage.ts';
import type { Transport } from './transport.ts';

/** Options of everything that makes lost connections again. */
export interface ReconnectOptions {
  /** Ends it: it throws a GlocalError CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds without a connection after which UNAVAILABLE is thrown. Those of several attempts add up until the stream
   * has got on, or a connection has stood for ten seconds. @default 300000
   */
  readonly reconnectTimeout?: number | undefined;
  /** Told each time that the connection is lost or not found again, before the next attempt. */
  readonly onDisconnect?: ((error: GlocalError) => void) | undefined;
}

/**
 * The messages of a stream that is opened again whenever its connection is lost, until one of them ends by itself.
 * @param open begins where the messages before have led to; is to call `onOpen` when the server answers
 * @param getsOn whether a message brings the stream further than it has been
 */
export async function* reconnecting<Message>(
  transport: Transport,
  { signal, reconnectTimeout = 300_000, onDisconnect }: ReconnectOptions,
  open: (onOpen: () => void) => AsyncIterable<Message>,
  getsOn: (message: Message) => boolean,
): AsyncGenerator<Message, void, undefined> {
  const outage = new Outage();
  for (;;) {
    try {
      for await (const message of open(() => outage.opened())) {
        if (getsOn(message)) outage.over();
        yield message;
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
 * Whether the same request may soon succeed. A server that has not yet noticed the lost connection still counts it, and may
 * refuse another one for a while.
 */
function isPassing({ code, retryDelay }: GlocalError, reconnecting: boolean): boolean {
  return (
    code === 'UNAVAILABLE' || (reconnecting && code === 'RESOURCE_EXHAUSTED' && retryDelay !== undefined)
  );
}
