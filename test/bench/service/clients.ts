/** Client processes: what they do at the same time. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Job, Result } from './client-process.ts';

const CLIENT = fileURLToPath(new URL('./client-process.ts', import.meta.url));

/** Runs each job in a process of its own. @throws Error when one of them fails. */
export async function inProcesses(jobs: readonly Job[]): Promise<Result[]> {
  return Promise.all(
    jobs.map(async (job) => {
      const child = fork(CLIENT);
      const ended = once(child, 'exit');
      const result = once(child, 'message') as Promise<[Result]>;
      child.send(job);
      const outcome = await Promise.race([result, ended]);
      if (typeof outcome[0] !== 'object')
        throw new Error(`a client process ended with ${outcome[0] ?? outcome[1]}`);
      await ended;
      return outcome[0];
    }),
  );
}
