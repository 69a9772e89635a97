/** Waiting for a server to be there. */

import { type ServerInfo, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { GlocalError, UnavailableError } from './error.ts';
import type { Transport } from './transport.ts';

const PAUSE = 250;
/** So that the reason of the last failure is known when the time is over. */
const ONCE = { maxAttempts: 1 };

/** For how long to ask, in milliseconds. */
interface ReachOptions {
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Asks until a server answers.
 * @throws GlocalError UNAVAILABLE, reason UNREACHABLE, naming the address; or what the server answered.
 */
export async function reach(transport: Transport, { timeout, signal }: ReachOptions): Promise<ServerInfo> {
  const end = performance.now() + timeout;
  const left = () => Math.max(1, end - performance.now());
  let unreachable: GlocalError | undefined;
  for (;;) {
    try {
      const options = { signal, timeout: left(), retry: ONCE };
      return await transport.unary(StudyServiceService.getServerInfo, {}, options);
    } catch (error) {
      if (!(error instanceof GlocalError)) throw error;
      if (error.code === 'DEADLINE_EXCEEDED') {
        throw unreachable ?? silent(transport.address, timeout, error);
      }
      if (error.code !== 'UNAVAILABLE' || performance.now() >= end) throw error;
      unreachable = error;
    }
    await transport.pause(Math.min(PAUSE, left()), signal);
  }
}

function silent(address: string, timeout: number, cause: GlocalError): GlocalError {
  const message = `no answer from the Glocal server at ${address} within ${timeout} ms`;
  return new UnavailableError(message, { reason: 'UNREACHABLE', requestId: cause.requestId, cause });
}
