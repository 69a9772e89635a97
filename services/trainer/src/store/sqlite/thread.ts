/** The thread in which the SQLite engine runs: takes all calls that wait, answers them together, and takes the next. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type Answer, answerAll, type Call, encodeError, takeTurn } from './calls.ts';
import { SqliteEngine } from './engine.ts';

/** What this thread opens. @see SqliteEngine */
export interface Opening {
  readonly path: string;
  readonly waitMs: number;
}

/** To this thread. */
export type ToThread = readonly Call[] | 'close';
/** From this thread: first whether the store could be opened. */
export type FromThread = 'open' | 'closed' | { failed: ReturnType<typeof encodeError> } | Answer[];

if (parentPort === null) throw new Error('sqlite/thread.ts runs in a thread of the store');
const port = parentPort;
const tell = (message: FromThread) => port.postMessage(message);

try {
  const { path, waitMs } = workerData as Opening;
  const engine = new SqliteEngine(path, waitMs);
  port.on('message', (first: ToThread) => {
    const calls: Call[] = [];
    let closing = false;
    const take = (message: ToThread) => {
      if (message === 'close') closing = true;
      else calls.push(...message);
    };
    take(first);
    do {
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
        take(next.message as ToThread);
      }
      for (const answers of answerAll(engine, takeTurn(calls))) tell(answers);
    } while (calls.length > 0);
    if (!closing) return;
    engine.close();
    tell('closed');
    port.close();
  });
  tell('open');
} catch (error) {
  tell({ failed: encodeError(error) });
}
