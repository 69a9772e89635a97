/** What the DMD service says of itself: asked for at start, and again after each loss of the connection. */

import type { DmdInfo, DmdLimits, DmdServiceClient } from '@glocal/proto/glocal/v1/dmd';
import { connectivityState, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { connectDmd, type DmdConnection } from './connection.ts';

/** The defaults of the service (docs/dmd.md), which hold for one that does not tell, or has not been reached yet. */
export const DEFAULT_DMD_LIMITS: DmdLimits = {
  maxRows: 512,
  maxComponents: 10_000_000,
  maxMessageBytes: 4 * 1024 * 1024,
  maxOpenWindows: 256,
  maxHeldBytes: 1024n ** 3n,
};

const ANSWER_WITHIN_MS = 5_000;

export class DmdWatch {
  readonly #client: DmdServiceClient;
  readonly #log: Logger;
  #limits = DEFAULT_DMD_LIMITS;
  #closed = false;

  private constructor(client: DmdServiceClient, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  /**
   * Asks once, for some seconds at most, and goes on to watch the connection.
   * @throws DmdConnectionError
   */
  static async start(connection: DmdConnection, log: Logger): Promise<DmdWatch> {
    const watch = new DmdWatch(connectDmd(connection), log);
    await watch.#ask();
    watch
      .#follow()
      .catch((error: unknown) => log.error({ err: error }, 'the DMD service is not watched any more'));
    return watch;
  }

  /** As it last said. */
  get limits(): DmdLimits {
    return this.#limits;
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
  }

  async #follow(): Promise<void> {
    for (;;) {
      await this.#leave(connectivityState.READY);
      await new Promise<void>((resolve) =>
        this.#client.waitForReady(Number.POSITIVE_INFINITY, () => resolve()),
      );
      if (this.#closed) return;
      await this.#ask();
    }
  }

  /** Resolves when the connection is not in this state any more; at once when it is not. */
  #leave(state: connectivityState): Promise<void> {
    const channel = this.#client.getChannel();
    if (channel.getConnectivityState(false) !== state) return Promise.resolve();
    return new Promise((resolve) =>
      channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => resolve()),
    );
  }

  async #ask(): Promise<void> {
    try {
      const { version, limits } = await this.#getInfo();
      this.#limits = limits ?? DEFAULT_DMD_LIMITS;
      this.#log.debug({ version, limits: loggable(this.#limits) }, 'DMD service asked for its limits');
    } catch (error) {
      if (this.#closed) return;
      const { code, details } = error as ServiceError;
      if (code === status.UNIMPLEMENTED) {
        this.#limits = DEFAULT_DMD_LIMITS;
        this.#log.info('the DMD service is older than GetDmdInfo; its default limits are assumed');
        return;
      }
      if (code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED) {
        this.#log.error({ details }, 'the DMD service does not accept the trainer: check --dmd-token-file');
        return;
      }
      this.#log.warn(
        { code: status[code], details },
        'the DMD service could not be asked for its limits; those known last, or the defaults, stay in force',
      );
    }
  }

  #getInfo(): Promise<DmdInfo> {
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + ANSWER_WITHIN_MS;
      this.#client.getDmdInfo({}, new Metadata(), { deadline }, (error, info) =>
        error === null ? resolve(info) : reject(error),
      );
    });
  }
}

/** JSON has no bigint. */
const loggable = ({ maxHeldBytes, ...limits }: DmdLimits) => ({
  ...limits,
  maxHeldBytes: Number(maxHeldBytes),
});
