/** Waiting for a server to be there. */

import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import type { Target } from './address.ts';
import { GlocalError } from './error.ts';
import type { ClientOptions } from './options.ts';
import { Transport } from './transport.ts';

const PAUSE = 250;

/** How to ask, and for how long, in milliseconds. */
interface ReachOptions {
  readonly token: ClientOptions['token'];
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Asks until the server answers. On a connection of its own, which repeats no call by itself, so that the reason of
 * the last failure is known when the time is over.
 * @throws GlocalError UNAVAILABLE, reason UNREACHABLE, naming the address; or what the server answered.
 */
export async function reach(target: Target, { token, timeout, signal }: ReachOptions): Promise<void> {
  const probe = new Transport(target, { token, timeout, retry: { maxAttempts: 1 } });
  const end = performance.now() + timeout;
  const left = () => Math.max(1, end - performance.now());
  let unreachable: GlocalError | undefined;
  try {
    for (;;) {
      try {
        await probe.unary(StudyServiceService.getServerInfo, {}, { signal, timeout: left() });
        return;
      } catch (error) {
        if (!(error instanceof GlocalError)) throw error;
        if (error.code === 'DEADLINE_EXCEEDED') throw unreachable ?? silent(target.address, timeout, error);
        if (error.code !== 'UNAVAILABLE' || performance.now() >= end) throw error;
        unreachable = error;
      }
      await probe.pause(Math.min(PAUSE, left()), signal);
    }
  } finally {
    probe.close();
  }
}

function silent(address: string, timeout: number, cause: GlocalError): GlocalError {
  const message = `no answer from the Glocal server at ${address} within ${timeout} ms`;
  return new GlocalError('UNAVAILABLE', message, {
    reason: 'UNREACHABLE',
    requestId: cause.requestId,
    cause,
  });
}
