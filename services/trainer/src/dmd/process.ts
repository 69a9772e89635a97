/** Starts the DMD service as a child process and keeps it running, when no address of one is configured. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** The DMD service could not be started; the message says what to do. */
export class DmdStartError extends Error {
  override readonly name = 'DmdStartError';
}

const READY = /listening on (\S+)$/;
const READY_WITHIN_MS = 15_000;
const STOP_WITHIN_MS = 5_000;
const MAX_PAUSE_MS = 10_000;

/** A supervised child. It stays on one port over restarts, so that clients keep their address. */
export class DmdProcess {
  readonly #binary: string;
  readonly #log: Logger;
  #address = '';
  #child: ChildProcess | undefined;
  #stopping = false;
  #pauseMs = 100;

  private constructor(binary: string, log: Logger) {
    this.#binary = binary;
    this.#log = log;
  }

  /**
   * Starts the service on a free port of the loopback interface.
   * @throws DmdStartError when the binary is missing or does not come up.
   */
  static async start(binary: string, log: Logger): Promise<DmdProcess> {
    if (!existsSync(binary)) {
      throw new DmdStartError(
        `the DMD service is not at ${binary}: build it with \`cargo build --release -p glocal-dmd\`, ` +
          'or set GLOCAL_DMD_BINARY to where it is, or GLOCAL_DMD_ADDRESS to a service that runs',
      );
    }
    const process = new DmdProcess(binary, log);
    await process.#launch('127.0.0.1:0');
    return process;
  }

  /** host:port. */
  get address(): string {
    return this.#address;
  }

  /** Asks it to stop, and insists after a while. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await Promise.race([exited, sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  }

  async #launch(listen: string): Promise<void> {
    // Its standard input is ours to hold: it closes when this process dies, however that happens, and it then exits.
    const child = spawn(this.#binary, ['serve', '--listen', listen, '--exit-with-stdin'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    const errors: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      errors.push(line);
      if (errors.length > 20) errors.shift();
      this.#log.debug({ dmd: line }, 'DMD service');
    });
    this.#address = await new Promise<string>((resolve, reject) => {
      const fail = (why: string) => reject(new DmdStartError(`the DMD service did not start: ${why}`));
      const timer = setTimeout(() => fail(`not ready after ${READY_WITHIN_MS / 1000} s`), READY_WITHIN_MS);
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        fail(`it ended with ${signal ?? `exit code ${code}`}: ${errors.at(-1) ?? 'without a word'}`);
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        const address = line.match(READY)?.[1];
        if (address === undefined) return;
        clearTimeout(timer);
        resolve(address);
      });
    });
    this.#log.info({ address: this.#address, pid: child.pid }, 'DMD service ready');
    this.#pauseMs = 100;
    child.once('exit', (code, signal) => {
      if (this.#stopping) return;
      this.#log.warn({ code, signal, last: errors.at(-1) }, 'DMD service ended; starting it again');
      this.#relaunch().catch((error: unknown) => this.#log.error({ err: error }, 'DMD service'));
    });
  }

  async #relaunch(): Promise<void> {
    while (!this.#stopping) {
      await sleep(this.#pauseMs, undefined, { ref: false });
      this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
      if (this.#stopping) return;
      try {
        return await this.#launch(this.#address);
      } catch (error) {
        this.#log.error({ err: error }, 'DMD service did not come back; trying again');
      }
    }
  }
}
