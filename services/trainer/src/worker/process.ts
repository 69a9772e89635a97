/** The server's side of one training process: starts it, listens to it, ends it. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { ObjectStoreError } from '../objects/errors.ts';
import { environmentFor } from '../process/environment.ts';
import { type ProcessUsage, usageOf } from '../process/usage.ts';
import type {
  AliveMessage,
  CheckpointAsk,
  CheckpointMessage,
  CheckpointRequestMessage,
  EndedMessage,
  FromWorker,
  OuterStepMessage,
  ProposalMessage,
  StartedMessage,
  StartMessage,
  ToWorker,
} from './messages.ts';
import { POLL_EVERY_MS, Watchdog, type WatchdogLimits } from './watchdog.ts';

const ENTRY = fileURLToPath(new URL('./main.ts', import.meta.url));
const KILL_AFTER_MS = 3_000;

/** What the training process tells while it runs. What is awaited comes one after the other, in the order of sending. */
export interface TrainingEvents {
  started(started: StartedMessage): Promise<void>;
  /** Comes at once, whatever is awaited. */
  progress(stepsDone: number): void;
  /** Comes at once, too. */
  warning(text: string): void;
  /** Comes every second, where the system tells. */
  usage?(usage: ProcessUsage): void;
  /** Comes every second while the process does not compute. */
  alive?(message: AliveMessage): void;
  /** A checkpoint has become durable. Comes at once. */
  checkpoint?(message: CheckpointMessage): void;
  /**
   * Resolves with the answer, where the process cannot reach its checkpoints by itself. Comes at once.
   * @param gone aborted when the process is gone.
   */
  checkpoints?(ask: CheckpointAsk, gone: AbortSignal): Promise<unknown>;
  /** Resolves when the step is durable, which the process is told then: it waits when many are not. */
  outerStep(encoded: Uint8Array): Promise<void>;
  /**
   * Resolves with the encoded decision, which the process waits for.
   * @param gone aborted when the process is gone, for the reason that `run` throws.
   */
  proposal(message: ProposalMessage, gone: AbortSignal): Promise<Uint8Array>;
}

/** The training process ended without saying how: a native crash, a signal, or a standstill. */
export class TrainingProcessError extends Error {
  override readonly name = 'TrainingProcessError';
}

/** The training process took more memory than it may; doing it again would not help. */
export class MemoryLimitError extends Error {
  override readonly name = 'MemoryLimitError';
}

export class TrainingProcess {
  readonly #child: ChildProcess;
  readonly #log: Logger;
  readonly #watchdog: Watchdog;
  /** Whether the process waits for others, as it last said. */
  #waits = false;
  /** Messages that are being handled: as long as there are any, it may wait for us. */
  #handling = 0;
  /** Resolves when the process is gone, or never came to be. */
  readonly #gone: Promise<void>;

  constructor(log: Logger, limits: WatchdogLimits, environment: 'training' | 'trainingWithS3' = 'training') {
    this.#log = log;
    this.#watchdog = new Watchdog(limits);
    this.#child = fork(ENTRY, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: environmentFor(environment),
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

  /** 0 of one that could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * Trains until the end.
   * @throws TrainingProcessError when the process ends without a word or has come to a stand; MemoryLimitError; and
   *   whatever a handler throws.
   */
  async run(start: StartMessage, events: TrainingEvents): Promise<EndedMessage> {
    const child = this.#child;
    const gone = new AbortController();
    let lastWords = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-4_000);
      this.#log.debug({ pid: child.pid, text }, 'training process');
    });
    let looks: NodeJS.Timeout | undefined;
    try {
      return await new Promise<EndedMessage>((resolve, reject) => {
        let previous: Promise<void> = Promise.resolve();
        looks = setInterval(() => this.#look(events, reject), POLL_EVERY_MS);
        child.on('message', (message: FromWorker) => {
          this.#note(message);
          if (message.type === 'alive') return events.alive?.(message);
          if (message.type === 'checkpoint') return events.checkpoint?.(message);
          if (message.type === 'checkpointRequest') return void this.#answer(message, events, gone.signal);
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
      clearInterval(looks);
      await this.kill();
    }
  }

  /** Asks it to leave its trial at the next outer-step boundary, which ends the run. */
  leave(): void {
    this.#send({ type: 'leave' });
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
    message: StartedMessage | ProposalMessage | OuterStepMessage | EndedMessage,
    events: TrainingEvents,
    gone: AbortSignal,
    ended: (message: EndedMessage) => void,
  ): Promise<void> {
    this.#handling += 1;
    try {
      switch (message.type) {
        case 'started':
          return await events.started(message);
        case 'proposal':
          return this.#send({ type: 'decision', decision: await events.proposal(message, gone) });
        case 'outerStep':
          await events.outerStep(message.outerStep);
          return this.#send({ type: 'acknowledged', index: message.index });
        case 'ended':
          return ended(message);
      }
    } finally {
      this.#handling -= 1;
    }
  }

  async #answer(
    { number, ask }: CheckpointRequestMessage,
    events: TrainingEvents,
    gone: AbortSignal,
  ): Promise<void> {
    this.#handling += 1;
    try {
      if (events.checkpoints === undefined) throw new Error('there are no checkpoints to ask for');
      const answer = await events.checkpoints(ask, gone);
      this.#send({ type: 'checkpointAnswer', number, answer });
    } catch (error) {
      const failure = error instanceof ObjectStoreError ? error.failure : undefined;
      const { message } = error as Error;
      this.#send({ type: 'checkpointAnswer', number, error: { message, failure } });
    } finally {
      this.#handling -= 1;
    }
  }

  #note(message: FromWorker): void {
    if (message.type === 'alive') {
      this.#waits = message.waits;
      this.#watchdog.heard();
    } else {
      this.#waits = false;
      this.#watchdog.progressed();
    }
  }

  /** Ends a process that takes too much or has come to a stand. */
  #look(events: TrainingEvents, reject: (error: Error) => void): void {
    const { pid } = this.#child;
    const usage = pid === undefined ? undefined : usageOf(pid);
    if (usage !== undefined) events.usage?.(usage);
    const found = this.#watchdog.look(usage, this.#waits || this.#handling > 0);
    if (found === undefined) return;
    const Kind = found.kind === 'memory' ? MemoryLimitError : TrainingProcessError;
    reject(new Kind(found.what));
    // One that is stopped hears nothing else.
    this.#child.kill('SIGKILL');
  }

  #send(message: ToWorker): void {
    if (this.#child.connected)
      this.#child.send(message, (error) => error && this.#log.debug({ err: error }, 'send'));
  }
}
