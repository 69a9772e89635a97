/** Two ways to reach an SQLite engine: in a thread of its own, and in this one. */

import { Worker } from 'node:worker_threads';
import { StoreUnavailableError } from '../errors.ts';
import type { Connection } from '../sql/methods.ts';
import { type Answer, answerAll, type Call, decodeError } from './calls.ts';
import type { SqliteEngine } from './engine.ts';
import type { FromThread, Opening, ToThread } from './thread.ts';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A file, in a thread of its own: a commit waits for the disk, and nothing else must. When the thread has died, calls are
 * refused until a probe, which starts it again.
 * @throws StoreError when it cannot be opened.
 */
export async function connectThread(opening: Opening): Promise<Connection> {
  let thread = await StoreThread.start(opening);
  let closed = false;
  return {
    call: (method, ...args) => thread.call(method, args) as Promise<never>,
    probe: async () => {
      if (thread.gone !== undefined && !closed) {
        thread = await StoreThread.start(opening);
        if (closed) await thread.close();
      }
      await thread.call('probe', []);
    },
    close: () => {
      closed = true;
      return thread.close();
    },
  };
}

/** One life of the store's thread. */
class StoreThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  /** Calls of this turn of the event loop, which go to the thread in one message: each message costs as much as a call. */
  #unsent: Call[] = [];
  readonly #ended: Promise<void>;
  #calls = 0;
  #gone: StoreUnavailableError | undefined;
  #closing = false;

  private constructor(opening: Opening) {
    this.#worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: opening,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.once('error', (error: Error) => {
        this.#end(new StoreUnavailableError(`the store's thread ended: ${error.message}`, { cause: error }));
        resolve();
      });
      this.#worker.once('exit', () => {
        const why = this.#closing ? 'the store is closed' : "the store's thread ended";
        this.#end(new StoreUnavailableError(why));
        resolve();
      });
    });
  }

  /** @throws StoreError when the file cannot be opened. */
  static async start(opening: Opening): Promise<StoreThread> {
    const thread = new StoreThread(opening);
    await new Promise<void>((resolve, reject) => {
      thread.#worker.on('message', (message: FromThread) => {
        if (message === 'open') return resolve();
        if (message === 'closed') return;
        if ('failed' in message) return reject(decodeError(message.failed));
        thread.#take(message);
      });
      void thread.#ended.then(() => reject(thread.#gone));
    });
    return thread;
  }

  /** Why it takes no more calls; undefined while it does. */
  get gone(): StoreUnavailableError | undefined {
    return this.#gone;
  }

  call(method: Call['method'], args: Call['args']): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) return reject(this.#gone);
      this.#calls += 1;
      this.#waiting.set(this.#calls, { resolve, reject });
      if (this.#unsent.length === 0) setImmediate(() => this.#sendCalls());
      this.#unsent.push({ id: this.#calls, method, args });
    });
  }

  close(): Promise<void> {
    this.#closing = true;
    this.#sendCalls();
    if (this.#gone === undefined) this.#send('close');
    return this.#ended;
  }

  #sendCalls(): void {
    const calls = this.#unsent;
    this.#unsent = [];
    if (calls.length > 0) this.#send(calls);
  }

  #take(answers: readonly Answer[]): void {
    for (const answer of answers) {
      const { resolve, reject } = this.#waiting.get(answer.id) as Waiting;
      this.#waiting.delete(answer.id);
      if ('error' in answer) reject(decodeError(answer.error));
      else resolve(answer.value);
    }
  }

  #end(error: StoreUnavailableError): void {
    this.#gone ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
    this.#waiting.clear();
  }

  #send(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}

/** In this thread: for what is kept in memory, where nothing waits for a disk. */
export function connectHere(engine: SqliteEngine): Connection {
  const waiting = new Map<number, Call & Waiting>();
  let calls = 0;
  let closed = false;
  const answer = () => {
    const batch = [...waiting.values()];
    waiting.clear();
    const made = new Map(batch.map((call) => [call.id, call]));
    for (const answers of closed ? [] : answerAll(engine, batch)) {
      for (const answer of answers) {
        const { resolve, reject } = made.get(answer.id) as Waiting;
        if ('error' in answer) reject(decodeError(answer.error));
        else resolve(answer.value);
      }
    }
  };
  const call = (method: Call['method'], args: Call['args']) =>
    new Promise<unknown>((resolve, reject) => {
      if (closed) return reject(new StoreUnavailableError('the store is closed'));
      if (waiting.size === 0) setImmediate(answer);
      calls += 1;
      waiting.set(calls, { id: calls, method, args, resolve, reject });
    });
  return {
    call: (method, ...args) => call(method, args) as Promise<never>,
    probe: async () => {
      await call('probe', []);
    },
    close: async () => {
      if (closed) return;
      answer();
      closed = true;
      engine.close();
    },
  };
}
