/** What a process takes of the machine, as /proc tells: on Linux. */

import { existsSync, readFileSync } from 'node:fs';

export interface ProcessUsage {
  /** Resident memory in bytes, shared libraries included. */
  readonly memoryBytes: number;
  /** Processor time since it began, of all its threads, in ticks of the system's clock. */
  readonly processorTicks: number;
}

/** Whether this system tells. */
export const usageIsKnown = (): boolean => existsSync('/proc/self/status');

/** Undefined where the system does not tell, and of a process that is gone. */
export function usageOf(pid: number): ProcessUsage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    // The name in parentheses may itself contain spaces and parentheses.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return {
      memoryBytes: 1024 * Number(status.match(/^VmRSS:\s*(\d+) kB/m)?.[1] ?? 0),
      // User and system time, the 14th and 15th of all; the first two have been cut off.
      processorTicks: Number(fields[11]) + Number(fields[12]),
    };
  } catch {
    return undefined;
  }
}
