/** Abort signals, and waiting that obeys them. */

import { setTimeout as sleepFor } from 'node:timers/promises';
import { deferred } from './deferred.ts';
import { CancelledError, DeadlineExceededError, errorOf, GlocalError } from './error.ts';

type Signals = readonly (AbortSignal | undefined)[];

/**
 * Runs `action` at once or when one of the signals is aborted, unless the returned function was called before.
 * Unlike AbortSignal.any this leaves nothing behind on a signal that outlives many calls.
 */
export function onAbort(signals: Signals, action: () => void): () => void {
  if (signals.some((signal) => signal?.aborted)) {
    action();
    return () => {};
  }
  for (const signal of signals) signal?.addEventListener('abort', action, { once: true });
  return () => {
    for (const signal of signals) signal?.removeEventListener('abort', action);
  };
}

/** @throws GlocalError CANCELLED when one of the signals is aborted, with its reason as the cause. */
export function throwIfAborted(signals: Signals): void {
  for (const signal of signals) {
    if (!signal?.aborted) continue;
    const cause: unknown = signal.reason;
    if (cause instanceof GlocalError)
      throw errorOf(cause.code, cause.message, { reason: cause.reason, cause });
    throw new CancelledError(`aborted: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/**
 * Waits.
 * @throws GlocalError CANCELLED when one of the signals is aborted.
 */
export async function sleep(milliseconds: number, signals: Signals): Promise<void> {
  const woken = new AbortController();
  const stopListening = onAbort(signals, () => woken.abort());
  try {
    await sleepFor(milliseconds, undefined, { signal: woken.signal });
  } catch {
    throwIfAborted(signals);
  } finally {
    stopListening();
  }
}

/**
 * What a promise gives that knows no signals.
 * @throws GlocalError CANCELLED when one of the signals is aborted before.
 */
export async function unlessAborted<Value>(promise: Promise<Value>, signals: Signals): Promise<Value> {
  const aborted = deferred<never>();
  const stopListening = onAbort(signals, () => aborted.reject(undefined));
  try {
    return await Promise.race([promise, aborted.promise]);
  } catch (error) {
    throwIfAborted(signals);
    throw error;
  } finally {
    stopListening();
  }
}

/** A signal that somebody has to let go of. */
export interface Limit {
  readonly signal: AbortSignal;
  release(): void;
}

/**
 * Aborted with the signal given, or with DEADLINE_EXCEEDED when the time is over.
 * @param timeout in milliseconds
 * @param what is not over by then
 */
export function limit(signal: AbortSignal | undefined, timeout: number, what: string): Limit {
  const over = new AbortController();
  const stopListening = onAbort([signal], () => over.abort(signal?.reason));
  const timer = Number.isFinite(timeout)
    ? setTimeout(() => {
        over.abort(new DeadlineExceededError(`${what} was not over within ${timeout} ms`));
      }, timeout)
    : undefined;
  return {
    signal: over.signal,
    release: () => {
      stopListening();
      clearTimeout(timer);
    },
  };
}
