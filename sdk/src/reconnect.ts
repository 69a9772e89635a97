/** Streams that survive lost connections, and tokens that expire. */

import { limit } from './abort.ts';
import { GlocalError } from './error.ts';
import type { CallOptions } from './options.ts';
import { Outage } from './outage.ts';
import type { Transport } from './transport.ts';

/** Options of everything that makes lost connections again. */
export interface ReconnectOptions extends CallOptions {
  /** Ends it: it throws a GlocalError CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for all of it, after which it throws DEADLINE_EXCEEDED. @default no limit */
  readonly timeout?: number | undefined;
  /**
   * Milliseconds without a connection after which UNAVAILABLE is thrown. Those of several attempts add up until the stream
   * has got on, or a connection has stood for ten seconds. @default 300000
   */
  readonly reconnectTimeout?: number | undefined;
  /** Told each time that the connection is lost or not found again, before the next attempt. */
  readonly onDisconnect?: ((error: GlocalError) => void) | undefined;
}

/** How to open a stream once more. */
interface Opening {
  /** To be called when the server answers. */
  readonly onOpen: () => void;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

/**
 * The messages of a stream that is opened again whenever its connection is lost, or its token was refused and another one can
 * be had, until one of them ends by itself.
 * @param open begins where the messages before have led to
 * @param getsOn whether a message brings the stream further than it has been
 * @param passes whether the same request may soon succeed; `reconnecting` when it did not before
 */
export async function* reconnecting<Message>(
  transport: Transport,
  { signal, timeout = Number.POSITIVE_INFINITY, reconnectTimeout = 300_000, onDisconnect }: ReconnectOptions,
  open: (opening: Opening) => AsyncIterable<Message> | Promise<AsyncIterable<Message>>,
  getsOn: (message: Message) => boolean,
  passes: (error: GlocalError, reconnecting: boolean) => boolean = isPassing,
): AsyncGenerator<Message, void, undefined> {
  const outage = new Outage();
  const within = limit(signal, timeout, 'the stream');
  /** Whether the last token was refused, and no server has answered since. */
  let refused = false;
  const onOpen = () => {
    if (outage.failures > 0) transport.log('info', 'a stream goes on', { address: transport.address });
    refused = false;
    outage.opened();
  };
  try {
    for (;;) {
      try {
        for await (const message of await open({ onOpen, signal: within.signal })) {
          if (getsOn(message)) outage.over();
          yield message;
        }
        return;
      } catch (error) {
        if (!(error instanceof GlocalError)) throw error;
        const renews: boolean = error.code === 'UNAUTHENTICATED' && transport.renewsTokens && !refused;
        if (!renews && !passes(error, outage.failures > 0)) throw error;
        refused = renews;
        outage.lost();
        if (outage.duration >= reconnectTimeout) throw error;
        onDisconnect?.(error);
        const delay = error.retryDelay ?? outage.pause;
        const { code, reason, requestId } = error;
        transport.log('warn', 'a stream has lost its server', { code, reason, requestId, delay });
        await transport.pause(delay, within.signal);
      }
    }
  } finally {
    within.release();
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
