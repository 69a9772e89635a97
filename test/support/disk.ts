/** A disk that is full for one process: its files may not grow beyond a few kilobytes, as `ulimit -f` says. Linux only. */

import { spawnSync } from 'node:child_process';

const limit = (pid: number, bytes: string) =>
  spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`], { encoding: 'utf8' });

/** Whether this machine can do that. */
export const canFillDisk: boolean = limit(process.pid, 'unlimited').status === 0;

/** From now on the process, and what it starts, cannot write to files. */
export function fillDisk(pid: number): void {
  expectSuccess(limit(pid, '4096'));
}

/** The process can write again. */
export function freeDisk(pid: number): void {
  expectSuccess(limit(pid, 'unlimited'));
}

function expectSuccess({
  status,
  stderr,
}: {
  readonly status: number | null;
  readonly stderr: string;
}): void {
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}
