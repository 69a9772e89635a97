/** Ends a process with the one that started it, also while it computes and hears of nothing. */

import { Worker } from 'node:worker_threads';

const LOOK_EVERY_MS = 1_000;

/** In a thread of its own: a loop without an end in what a user has brought would keep anything else from running. */
const WATCH = `
  const { workerData: { parent, everyMs } } = require('node:worker_threads');
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  }, everyMs);
`;

/** To be called before anything of a user's runs. */
export function endWithParent(): void {
  new Worker(WATCH, { eval: true, workerData: { parent: process.ppid, everyMs: LOOK_EVERY_MS } }).unref();
}
