/** The processes of this machine: who started whom, and who is still there. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';

export interface RunningProcess {
  readonly pid: number;
  /** Who started it. */
  readonly parent: number;
  readonly command: string;
}

const GONE_WITHIN_MS = 20_000;

/** All that run. A process that has ended and was not yet collected by its parent does not count. */
function runningProcesses(): RunningProcess[] {
  return (existsSync('/proc/self/stat') ? fromProc() : fromPs()).filter(({ command }) => command !== '');
}

function fromProc(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // The name in parentheses may itself contain spaces and parentheses.
        const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return state === 'Z' ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

function fromPs(): RunningProcess[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, parent, state, command] = line.match(/^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/) ?? [];
    if (state === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), command: command ?? '' }];
  });
}

/** Children, their children, and so on. */
export function descendants(pid: number): RunningProcess[] {
  const all = runningProcesses();
  const below = (parent: number): RunningProcess[] =>
    all.filter((child) => child.parent === parent).flatMap((child) => [child, ...below(child.pid)]);
  return below(pid);
}

/** The processes that train for a trainer. */
export const trainingProcesses = (trainer: number): RunningProcess[] =>
  descendants(trainer).filter(({ command }) => command.includes('worker/main.ts'));

/** The DMD services that a trainer has started. */
export const dmdProcesses = (trainer: number): RunningProcess[] =>
  descendants(trainer).filter(({ command }) => command.includes('glocal-dmd'));

const isRunning = (pid: number): boolean => runningProcesses().some((found) => found.pid === pid);

/** Processor time that a process has taken, in ticks, mostly of 10 ms. Linux only. */
export function processorTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  // User and system time, the 14th and 15th of all; the first two have been cut off.
  return Number(fields[11]) + Number(fields[12]);
}

/** Waits until none of them runs, however long that takes. */
export async function untilGone(processes: readonly RunningProcess[]): Promise<void> {
  while (processes.some(({ pid }) => isRunning(pid))) await sleep(50);
}

/** Waits until none of them runs; fails with those that stay. */
export async function expectGone(processes: readonly RunningProcess[]): Promise<void> {
  await vi.waitFor(() => expect(processes.filter(({ pid }) => isRunning(pid))).toEqual([]), {
    timeout: GONE_WITHIN_MS,
  });
}

/** The first line that a program prints; fails when it ends without one. */
export async function firstLine(stdout: Readable): Promise<string> {
  const lines = createInterface({ input: stdout });
  const [line] = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
  if (typeof line !== 'string') throw new Error('the program has printed nothing');
  return line;
}
