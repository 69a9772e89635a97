/** Abort signals, and waiting that obeys them. */

import { setTimeout } from 'node:timers/promises';
import { GlocalError } from './error.ts';

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
      throw new GlocalError(cause.code, cause.message, { reason: cause.reason, cause });
    throw new GlocalError('CANCELLED', `aborted: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
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
    await setTimeout(milliseconds, undefined, { signal: woken.signal });
  } catch {
    throwIfAborted(signals);
  } finally {
    stopListening();
  }
}
