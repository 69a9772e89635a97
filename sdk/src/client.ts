/** The client: one connection to one trainer. */

import { Limits as LimitsMessage, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { resolveTarget } from './address.ts';
import { GlocalError } from './error.ts';
import type { CallOptions, ClientOptions, ConnectOptions } from './options.ts';
import type { Problems, ServerInfo } from './server.ts';
import { Studies } from './studies.ts';
import { Transport } from './transport.ts';

const PAUSE_BETWEEN_ATTEMPTS = 250;

/** A client of one Glocal trainer. */
export class GlocalClient implements AsyncDisposable {
  /** Studies: create, validate, get, list. */
  readonly studies: Studies;
  /** Where the server is. */
  readonly address: string;
  readonly #transport: Transport;

  /**
   * Connects when the first call is made; {@link connect} does so at once.
   * @throws GlocalError INVALID_ARGUMENT or FAILED_PRECONDITION for options that contradict each other, are malformed,
   *   or would send in the clear to another machine.
   */
  constructor(options: ClientOptions = {}) {
    const { timeout = 30_000, keepalive = {}, retry = {} } = options;
    this.#transport = new Transport(resolveTarget(options), {
      timeout,
      keepaliveTime: keepalive.time ?? 30_000,
      keepaliveTimeout: keepalive.timeout ?? 10_000,
      retry,
    });
    this.address = this.#transport.address;
    this.studies = new Studies(this.#transport);
  }

  /**
   * A client whose server has answered.
   * @throws GlocalError UNAVAILABLE, reason UNREACHABLE, naming the address, when it does not in time; and as the
   *   constructor.
   */
  static async connect({
    signal,
    connectTimeout = 10_000,
    ...options
  }: ConnectOptions = {}): Promise<GlocalClient> {
    const client = new GlocalClient(options);
    try {
      await client.#reach(connectTimeout, signal);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** What a study's `problem` may name: data sets, models, optimizers with their hyperparameters. */
  problems(options?: CallOptions): Promise<Problems> {
    return this.#transport.unary(StudyServiceService.listProblems, {}, options);
  }

  /** Version, runtime and limits of the server. */
  async serverInfo(options?: CallOptions): Promise<ServerInfo> {
    const info = await this.#transport.unary(StudyServiceService.getServerInfo, {}, options);
    return { ...info, limits: info.limits ?? LimitsMessage.create() };
  }

  /** Ends the connection; calls under way throw CANCELLED, reason CLIENT_CLOSED. */
  close(): void {
    this.#transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Asks until there is an answer. */
  async #reach(timeout: number, signal: AbortSignal | undefined): Promise<void> {
    const end = performance.now() + timeout;
    let unreachable: unknown;
    for (;;) {
      try {
        await this.serverInfo({ signal, timeout: Math.max(1, end - performance.now()) });
        return;
      } catch (error) {
        const code = error instanceof GlocalError ? error.code : undefined;
        // Time ran out between two attempts: what the last one said tells more.
        if (code === 'DEADLINE_EXCEEDED') throw unreachable ?? error;
        if (code !== 'UNAVAILABLE' || performance.now() >= end) throw error;
        unreachable = error;
      }
      await this.#transport.pause(PAUSE_BETWEEN_ATTEMPTS, signal);
    }
  }
}
