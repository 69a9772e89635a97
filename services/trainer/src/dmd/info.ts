/** What the DMD service says of itself, and whether it can be reached: asked now and then, and when the connection changes. */

import type { DmdInfo, DmdLimits, DmdServiceClient } from '@glocal/proto/glocal/v1/dmd';
import type { DmdStatus } from '@glocal/proto/glocal/v1/study_service';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { checkConnection, connectDmd, type DmdConnection } from './connection.ts';

/** The defaults of the service (docs/dmd.md), which hold for one that does not tell, or has not been reached yet. */
export const DEFAULT_DMD_LIMITS: DmdLimits = {
  maxRows: 512,
  maxComponents: 10_000_000,
  maxMessageBytes: 4 * 1024 * 1024,
  maxOpenWindows: 256,
  maxHeldBytes: 1024n ** 3n,
};

const ANSWER_WITHIN_MS = 5_000;
/** From one question to the next while nothing changes. */
const ASK_EVERY_MS = 5_000;

/** What there is to tell of an answer: `refuses` is about who asks. */
type Standing = 'answers' | 'refuses' | 'away';

export class DmdWatch {
  readonly #client: DmdServiceClient;
  readonly #log: Logger;
  readonly #listeners = new Set<() => void>();
  #limits = DEFAULT_DMD_LIMITS;
  #status: DmdStatus = { reachable: false, version: '', reason: '' };
  #standing: Standing | undefined;
  #closed = false;

  private constructor(client: DmdServiceClient, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  /**
   * Asks once, for some seconds at most, and goes on to watch the service.
   * @throws DmdConnectionError
   */
  static async start(connection: DmdConnection, log: Logger): Promise<DmdWatch> {
    checkConnection(connection);
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

  /** Whether it answered when it was last asked. */
  get status(): DmdStatus {
    return this.#status;
  }

  /** Calls `listener` after each change of the status; returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
  }

  async #follow(): Promise<void> {
    for (;;) {
      await this.#quiet();
      if (this.#closed) return;
      await this.#ask();
    }
  }

  /** Resolves when the state of the connection has changed, and after a while in any case. */
  #quiet(): Promise<void> {
    const channel = this.#client.getChannel();
    const state = channel.getConnectivityState(true);
    return new Promise((resolve) =>
      channel.watchConnectivityState(state, Date.now() + ASK_EVERY_MS, () => resolve()),
    );
  }

  async #ask(): Promise<void> {
    try {
      const { version, limits } = await this.#getInfo();
      this.#answered(version, limits ?? DEFAULT_DMD_LIMITS);
    } catch (error) {
      if (this.#closed) return;
      const { code, details } = error as ServiceError;
      if (code === status.UNIMPLEMENTED) return this.#answered('', DEFAULT_DMD_LIMITS);
      const refused = code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED;
      const reason = `${status[code]}: ${details}`;
      this.#set({ ...this.#status, reachable: false, reason }, refused ? 'refuses' : 'away');
    }
  }

  #answered(version: string, limits: DmdLimits): void {
    this.#limits = limits;
    this.#set({ reachable: true, version, reason: '' }, 'answers');
  }

  #set(next: DmdStatus, standing: Standing): void {
    this.#status = next;
    if (standing === this.#standing) return;
    this.#standing = standing;
    this.#say(standing);
    for (const listener of [...this.#listeners]) listener();
  }

  #say(standing: Standing): void {
    const { version, reason } = this.#status;
    switch (standing) {
      case 'answers':
        this.#log.debug({ version, limits: loggable(this.#limits) }, 'the DMD service answers');
        if (version === '')
          this.#log.info('the DMD service is older than GetDmdInfo; its default limits are assumed');
        return;
      case 'refuses':
        this.#log.error({ reason }, 'the DMD service does not accept the trainer: check --dmd-token-file');
        return;
      case 'away':
        this.#log.warn(
          { reason },
          'the DMD service does not answer; limits known last, or the defaults, stay in force',
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
