/** Calls while the server comes and goes. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceError, status } from '@grpc/grpc-js';

const WITHIN_MS = 120_000;
const PAUSE_MS = 200;

/** How long to go on asking a server that does not answer. */
export class Patience {
  readonly #signal: AbortSignal;
  #until = performance.now() + WITHIN_MS;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** The server has answered. */
  renew(): void {
    this.#until = performance.now() + WITHIN_MS;
  }

  /** Waits a little before the next attempt. @throws the error when it is another one than UNAVAILABLE, or after two minutes. */
  async bear(error: unknown): Promise<void> {
    this.#signal.throwIfAborted();
    const gone = (error as ServiceError).code === status.UNAVAILABLE;
    if (!gone || performance.now() > this.#until) throw error;
    await sleep(PAUSE_MS, undefined, { signal: this.#signal });
  }
}

/** Makes the call again while nobody answers. @throws ServiceError */
export async function patiently<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  const patience = new Patience(signal);
  for (;;) {
    try {
      return await call();
    } catch (error) {
      await patience.bear(error);
    }
  }
}
