/** The thread in which the SQLite engine runs: takes all calls that wait, answers them together, and takes the next. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { answerAll, type Call, encodeError } from './sqlite-calls.ts';
import { SqliteEngine } from './sqlite-engine.ts';

/** To this thread. */
export type ToThread = Call | 'close';
/** From this thread: first whether the store could be opened. */
export type FromThread =
  | 'open'
  | 'closed'
  | { failed: ReturnType<typeof encodeError> }
  | ReturnType<typeof answerAll>;

if (parentPort === null) throw new Error('sqlite-thread.ts runs in a thread of the store');
const port = parentPort;
const tell = (message: FromThread) => port.postMessage(message);

try {
  const engine = new SqliteEngine(workerData as string);
  port.on('message', (first: ToThread) => {
    const waiting: ToThread[] = [first];
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      waiting.push(next.message as ToThread);
    }
    const calls = waiting.filter((message) => message !== 'close');
    if (calls.length > 0) tell(answerAll(engine, calls));
    if (calls.length === waiting.length) return;
    engine.close();
    tell('closed');
    port.close();
  });
  tell('open');
} catch (error) {
  tell({ failed: encodeError(error) });
}
