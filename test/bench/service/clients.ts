/** Client processes: what they do at the same time. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Job, Result } from './client-process.ts';

const CLIENT = fileURLToPath(new URL('./client-process.ts', import.meta.url));

/** Runs each job in a process of its own; all begin together. @throws Error when one of them fails. */
export async function inProcesses(jobs: readonly Job[]): Promise<Result[]> {
  const children = jobs.map(() => fork(CLIENT));
  await Promise.all(children.map((child) => once(child, 'message')));
  return Promise.all(
    children.map(async (child, i) => {
      const ended = once(child, 'exit');
      const result = once(child, 'message') as Promise<[Result]>;
      child.send(jobs[i] as Job);
      const outcome = await Promise.race([result, ended]);
      if (typeof outcome[0] !== 'object')
        throw new Error(`a client process ended with ${outcome[0] ?? outcome[1]}`);
      await ended;
      return outcome[0];
    }),
  );
}
