/** The server's side of one training process: starts it, listens to it, ends it. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { environmentFor } from '../process/environment.ts';
import type { EndedMessage, FromWorker, StartedMessage, StartMessage } from './messages.ts';

const ENTRY = fileURLToPath(new URL('./main.ts', import.meta.url));
const KILL_AFTER_MS = 3_000;

/** What the training process tells while it runs. Awaited one after the other, in the order of sending. */
export interface TrainingEvents {
  started(started: StartedMessage): Promise<void>;
  progress(stepsDone: number): void;
  /** Resolves when the step is durable. */
  outerStep(encoded: Uint8Array): Promise<void>;
}

/** The training process ended without saying how: a native crash, no memory, or a signal. */
export class TrainingProcessError extends Error {
  override readonly name = 'TrainingProcessError';
}

export class TrainingProcess {
  readonly #child: ChildProcess;
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
    this.#child = fork(ENTRY, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: environmentFor('training'),
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // Out of reach of the terminal's Ctrl-C: the server decides when training ends.
      detached: true,
    });
  }

  /**
   * Trains until the end.
   * @throws TrainingProcessError when the process ends without a word, and whatever a handler throws.
   */
  async run(start: StartMessage, events: TrainingEvents): Promise<EndedMessage> {
    const child = this.#child;
    let lastWords = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-4_000);
      this.#log.debug({ pid: child.pid, text }, 'training process');
    });
    try {
      return await new Promise<EndedMessage>((resolve, reject) => {
        let previous: Promise<void> = Promise.resolve();
        child.on('message', (message: FromWorker) => {
          previous = previous.then(() => this.#handle(message, events, resolve));
          previous.catch(reject);
        });
        child.once('error', reject);
        child.once('exit', (code, signal) => {
          const how = signal ?? `exit code ${code}`;
          const said = lastWords.trim().split('\n').at(-1);
          const error = new TrainingProcessError(
            `the training process ended with ${how}${said ? `: ${said}` : ''}`,
          );
          previous.catch(() => {}).then(() => reject(error));
        });
        this.#send(start);
      });
    } finally {
      await this.kill();
    }
  }

  /** Ends the process now; resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    await exited;
    clearTimeout(timer);
  }

  async #handle(
    message: FromWorker,
    events: TrainingEvents,
    ended: (message: EndedMessage) => void,
  ): Promise<void> {
    switch (message.type) {
      case 'started':
        return events.started(message);
      case 'progress':
        return events.progress(message.stepsDone);
      case 'outerStep':
        return events.outerStep(message.outerStep);
      case 'ended':
        return ended(message);
    }
  }

  #send(message: StartMessage): void {
    if (this.#child.connected)
      this.#child.send(message, (error) => error && this.#log.debug({ err: error }, 'send'));
  }
}
