/** Starts the DMD service as a child process and keeps it running, when no address of one is configured. */

import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { environmentFor } from '../process/environment.ts';
import { ServerChild, ServerStartError } from '../process/server-child.ts';
import { IS_INSTALLED } from '../resource/installation.ts';

/** The DMD service could not be started; the message says what to do. */
export class DmdStartError extends Error {
  override readonly name = 'DmdStartError';
}

const BUILD = '`cargo build --release -p glocal-dmd`';
const HOW_TO_GET_IT = IS_INSTALLED
  ? `build it in a clone of Glocal (${BUILD}) and put target/release/glocal-dmd there or on PATH`
  : `build it with ${BUILD}`;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** A supervised child. It stays on one port over restarts, so that clients keep their address. */
export class DmdProcess {
  readonly #binary: string;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  #child: ServerChild;

  private constructor(binary: string, log: Logger, child: ServerChild) {
    this.#binary = binary;
    this.#log = log;
    this.#child = child;
    this.#supervise().catch((error: unknown) =>
      log.error({ err: error }, 'DMD service is not supervised any more'),
    );
  }

  /**
   * Whoever does something long before the service is started asks this first.
   * @throws DmdStartError when the binary is missing.
   */
  static require(binary: string): void {
    if (existsSync(binary)) return;
    throw new DmdStartError(
      `the DMD service is not at ${binary}: ${HOW_TO_GET_IT}, ` +
        'or set GLOCAL_DMD_BINARY to where it is, or GLOCAL_DMD_ADDRESS to a service that runs',
    );
  }

  /**
   * Starts the service on a free port of the loopback interface.
   * @throws DmdStartError when the binary is missing or does not come up.
   */
  static async start(binary: string, log: Logger): Promise<DmdProcess> {
    DmdProcess.require(binary);
    try {
      return new DmdProcess(binary, log, await launch(binary, '127.0.0.1:0', log));
    } catch (error) {
      if (!(error instanceof ServerStartError)) throw error;
      throw new DmdStartError(`the DMD service did not start: ${error.message}`, { cause: error });
    }
  }

  /** host:port. */
  get address(): string {
    return this.#child.address;
  }

  /** Stops it for good; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#child.stop();
  }

  /** Starts it again each time that it ends unasked. */
  async #supervise(): Promise<void> {
    for (;;) {
      const { how, lastWords } = await this.#child.ended;
      if (this.#stop.signal.aborted) return;
      this.#log.warn({ how, lastWords }, 'DMD service ended; starting it again');
      const child = await this.#relaunch();
      if (child === undefined) return;
      this.#child = child;
      if (this.#stop.signal.aborted) return child.stop();
    }
  }

  /** Tries until it is up; undefined when it is not wanted any more. */
  async #relaunch(): Promise<ServerChild | undefined> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      await sleep(pause, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
      if (this.#stop.signal.aborted) return undefined;
      try {
        return await launch(this.#binary, this.address, this.#log);
      } catch (error) {
        this.#log.error({ err: error }, 'DMD service did not come back; trying again');
      }
    }
  }
}

async function launch(binary: string, listen: string, log: Logger): Promise<ServerChild> {
  const child = await ServerChild.start({
    command: binary,
    args: ['serve', '--listen', listen, '--exit-with-stdin'],
    env: environmentFor('dmd'),
    log: (line) => log.debug({ dmd: line }, 'DMD service'),
  });
  log.info({ address: child.address, dmdPid: child.pid }, 'DMD service ready');
  return child;
}
