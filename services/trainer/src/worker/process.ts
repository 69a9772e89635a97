/** The server's side of one training process: starts it, listens to it, ends it. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { environmentFor } from '../process/environment.ts';
import type {
  EndedMessage,
  FromWorker,
  ProgressMessage,
  ProposalMessage,
  StartedMessage,
  StartMessage,
  ToWorker,
  WarningMessage,
} from './messages.ts';

const ENTRY = fileURLToPath(new URL('./main.ts', import.meta.url));
const KILL_AFTER_MS = 3_000;

/** What the training process tells while it runs. What is awaited comes one after the other, in the order of sending. */
export interface TrainingEvents {
  started(started: StartedMessage): Promise<void>;
  /** Comes at once, whatever is awaited. */
  progress(stepsDone: number): void;
  /** Comes at once, too. */
  warning(text: string): void;
  /** Resolves when the step is durable, which the process is told then: it waits when many are not. */
  outerStep(encoded: Uint8Array): Promise<void>;
  /**
   * Resolves with the encoded decision, which the process waits for.
   * @param gone aborted when the process is gone, for the reason that `run` throws.
   */
  proposal(message: ProposalMessage, gone: AbortSignal): Promise<Uint8Array>;
}

/** The training process ended without saying how: a native crash, no memory, or a signal. */
export class TrainingProcessError extends Error {
  override readonly name = 'TrainingProcessError';
}

export class TrainingProcess {
  readonly #child: ChildProcess;
  readonly #log: Logger;
  /** Resolves when the process is gone, or never came to be. */
  readonly #gone: Promise<void>;

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
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      // Without a process there is no exit to wait for; `run` passes the error on.
      this.#child.on('error', () => this.#child.pid === undefined && resolve());
    });
  }

  /**
   * Trains until the end.
   * @throws TrainingProcessError when the process ends without a word, and whatever a handler throws.
   */
  async run(start: StartMessage, events: TrainingEvents): Promise<EndedMessage> {
    const child = this.#child;
    const gone = new AbortController();
    let lastWords = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-4_000);
      this.#log.debug({ pid: child.pid, text }, 'training process');
    });
    try {
      return await new Promise<EndedMessage>((resolve, reject) => {
        let previous: Promise<void> = Promise.resolve();
        child.on('message', (message: FromWorker) => {
          if (message.type === 'progress') return events.progress(message.stepsDone);
          if (message.type === 'warning') return events.warning(message.text);
          previous = previous.then(() => this.#handle(message, events, gone.signal, resolve));
          previous.catch(reject);
        });
        child.once('error', reject);
        child.once('exit', (code, signal) => {
          const how = signal ?? `exit code ${code}`;
          const said = lastWords.trim().split('\n').at(-1);
          const error = new TrainingProcessError(
            `the training process ended with ${how}${said ? `: ${said}` : ''}`,
          );
          gone.abort(error);
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
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    await this.#gone;
    clearTimeout(timer);
  }

  async #handle(
    message: Exclude<FromWorker, ProgressMessage | WarningMessage>,
    events: TrainingEvents,
    gone: AbortSignal,
    ended: (message: EndedMessage) => void,
  ): Promise<void> {
    switch (message.type) {
      case 'started':
        return events.started(message);
      case 'proposal':
        return this.#send({ type: 'decision', decision: await events.proposal(message, gone) });
      case 'outerStep':
        await events.outerStep(message.outerStep);
        return this.#send({ type: 'acknowledged', index: message.index });
      case 'ended':
        return ended(message);
    }
  }

  #send(message: ToWorker): void {
    if (this.#child.connected)
      this.#child.send(message, (error) => error && this.#log.debug({ err: error }, 'send'));
  }
}
