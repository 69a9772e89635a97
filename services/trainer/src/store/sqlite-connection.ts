/** Two ways to reach an SQLite engine: in a thread of its own, and in this one. */

import { Worker } from 'node:worker_threads';
import { StoreUnavailableError } from './errors.ts';
import { answerAll, type Call, decodeError, type Method } from './sqlite-calls.ts';
import type { SqliteEngine } from './sqlite-engine.ts';
import type { FromThread, ToThread } from './sqlite-thread.ts';

/** Calls methods of an engine. */
export interface Connection {
  call<M extends Method>(
    method: M,
    ...args: Parameters<SqliteEngine[M]>
  ): Promise<ReturnType<SqliteEngine[M]>>;
  /** Resolves when every call has been answered and the file is closed. */
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A file, in a thread of its own: a commit waits for the disk, and nothing else must.
 * @throws StoreError when it cannot be opened.
 */
export async function connectThread(path: string): Promise<Connection> {
  const thread = new Worker(new URL('./sqlite-thread.ts', import.meta.url), {
    workerData: path,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const waiting = new Map<number, Waiting>();
  const send = (message: ToThread) => thread.postMessage(message);
  let calls = 0;
  let gone: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    const end = (error: Error) => {
      gone ??= error;
      for (const { reject } of waiting.values()) reject(gone);
      waiting.clear();
      resolve();
    };
    thread.once('error', (error: Error) =>
      end(new StoreUnavailableError(`the store's thread ended: ${error.message}`, { cause: error })),
    );
    thread.once('exit', () => end(new StoreUnavailableError('the store is closed')));
  });
  await new Promise<void>((resolve, reject) => {
    thread.on('message', (message: FromThread) => {
      if (message === 'open') return resolve();
      if (message === 'closed') return;
      if ('failed' in message) return reject(decodeError(message.failed));
      for (const answer of message) {
        const { resolve, reject } = waiting.get(answer.id) as Waiting;
        waiting.delete(answer.id);
        if ('error' in answer) reject(decodeError(answer.error));
        else resolve(answer.value);
      }
    });
    void ended.then(() => reject(gone));
  });
  return {
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        if (gone !== undefined) return reject(gone);
        calls += 1;
        waiting.set(calls, { resolve: resolve as Waiting['resolve'], reject });
        send({ id: calls, method, args } as Call);
      }),
    close: () => {
      if (gone === undefined) send('close');
      return ended;
    },
  };
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
  return {
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new StoreUnavailableError('the store is closed'));
        if (waiting.size === 0) setImmediate(answer);
        calls += 1;
        waiting.set(calls, {
          id: calls,
          method,
          args,
          resolve: resolve as Waiting['resolve'],
          reject,
        } as Call & Waiting);
      }),
    close: async () => {
      if (closed) return;
      answer();
      closed = true;
      engine.close();
    },
  };
}
