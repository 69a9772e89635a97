/** A server as a child process: started, waited for until it says where it listens, and gone when this process is. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** The server did not come up; the message says why, with its own last words. */
export class ServerStartError extends Error {
  override readonly name: string = 'ServerStartError';
}

export interface ServerChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Takes each line that it writes to standard error. */
  readonly log: (line: string) => void;
  /** Ends a start that nobody waits for any more. Once the server is ready it has no effect. */
  readonly signal?: AbortSignal | undefined;
}

/** How a child ended, for people. */
export interface Ending {
  readonly how: string;
  /** Its last line on standard error. */
  readonly lastWords: string | undefined;
}

const READY = /listening on (\S+)$/;
/** On a machine that is busy with other things, too. */
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;

export class ServerChild {
  /** host:port that it listens on. */
  readonly address: string;
  readonly pid: number;
  /** Resolves when it has ended, however that happened. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: string, ended: Promise<Ending>) {
    this.#child = child;
    this.address = address;
    this.pid = child.pid ?? 0;
    this.ended = ended;
  }

  /**
   * Starts a program that prints `… listening on HOST:PORT` to standard output once it is ready, and that stops when its
   * standard input closes. It is out of reach of the terminal's Ctrl-C: who started it decides when it ends.
   * @throws ServerStartError
   */
  static async start({ command, args, env, log, signal }: ServerChildOptions): Promise<ServerChild> {
    // Its standard input is ours to hold: it closes when this process dies, however that happens.
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env,
      detached: true,
    });
    // A write to a child that is gone is no news: `ended` tells.
    child.stdin.on('error', () => {});
    let lastWords: string | undefined;
    createInterface({ input: child.stderr }).on('line', (line) => {
      lastWords = line;
      log(line);
    });
    const ended = new Promise<Ending>((resolve) => {
      child.once('error', (error) => resolve({ how: error.message, lastWords }));
      // At `close` its last words have been read, too.
      child.once('close', (code, signal) => resolve({ how: signal ?? `exit code ${code}`, lastWords }));
    });
    const ready = new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const address = line.match(READY)?.[1];
        if (address !== undefined) resolve(address);
      });
    });
    const waiting = new AbortController();
    const patience = AbortSignal.any([waiting.signal, ...(signal === undefined ? [] : [signal])]);
    const outcome = await Promise.race([
      ready,
      ended,
      sleep(READY_WITHIN_MS, undefined, { signal: patience }).catch(() => undefined),
    ]);
    waiting.abort();
    if (typeof outcome === 'string') return new ServerChild(child, outcome, ended);
    child.kill('SIGKILL');
    if (outcome !== undefined) {
      const { how, lastWords } = outcome;
      throw new ServerStartError(`it ended with ${how}${lastWords === undefined ? '' : `: ${lastWords}`}`);
    }
    throw new ServerStartError(
      signal?.aborted ? 'its start was interrupted' : `it was not ready after ${READY_WITHIN_MS / 1000} s`,
    );
  }

  /** Asks it to stop, and insists after a while. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    this.#child.kill('SIGTERM');
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), STOP_WITHIN_MS);
    await this.ended;
    clearTimeout(insist);
  }
}
