/** What can go wrong, and how it is made to. */

import { setTimeout as sleep } from 'node:timers/promises';
import { canFillDisk, fillDisk, freeDisk } from '../support/disk.ts';
import { dmdProcesses, type RunningProcess, trainingProcesses, untilGone } from '../support/processes.ts';
import { damageNewestCheckpoints } from './damage.ts';
import type { Random } from './random.ts';
import type { Service } from './service.ts';

/** @template S what it is made in. */
export interface Fault<S> {
  /** For people. */
  readonly name: string;
  /** Whether it counts as a kill. */
  readonly kills: boolean;
  /** Whether a trial loses its process by it, which counts as a crash. */
  readonly lames?: boolean;
  /** Whether there is a new server after it. */
  readonly restarts?: boolean;
  /** Whether it may be made now; without it always. */
  readonly possible?: (service: S, situation: Situation) => boolean;
  /** Resolves when the service is whole again, or on the way there by itself. @returns false when what it is made to has ended. */
  readonly make: (service: S, random: Random) => Promise<boolean>;
}

/** What is known of the trials. */
export interface Situation {
  /** Whether a trial has lost its process since its last outer step: at the third time it is FAILED, as it should be. */
  readonly fragile: boolean;
  /** Whether the server has just been started: trials that never get anywhere between two kills would show nothing. */
  readonly young: boolean;
}

const trains = ({ pid }: Service): RunningProcess[] => trainingProcesses(pid);
const estimates = ({ pid }: Service): RunningProcess[] => dmdProcesses(pid);

/** Milliseconds that a process stands still, or the disk is full. */
export const PAUSE = [200, 1_500] as const;

/** Of one server. */
export const FAULTS: readonly Fault<Service>[] = [
  {
    name: 'kill -9 of the server',
    kills: true,
    restarts: true,
    possible: (_service, { young }) => !young,
    async make(service, random) {
      await service.kill();
      await sleep(random.between(0, 500));
      await service.restart();
      return true;
    },
  },
  {
    name: 'kill -9 of the server, and damage to the newest checkpoints',
    kills: true,
    restarts: true,
    possible: (_service, { young }) => !young,
    async make(service, random) {
      const trainers = trains(service);
      await service.kill();
      // They end with the server, and must not write any more.
      await untilGone(trainers);
      damageNewestCheckpoints(`${service.store}.checkpoints`, random);
      await service.restart();
      return true;
    },
  },
  {
    name: 'kill -9 of a training process',
    kills: true,
    lames: true,
    possible: (service, { fragile }) => !fragile && trains(service).length > 0,
    make: toOne(trains, (process) => signal(process, 'SIGKILL')),
  },
  {
    name: 'kill -9 of the DMD service',
    kills: true,
    possible: (service) => estimates(service).length > 0,
    make: toOne(estimates, (process) => signal(process, 'SIGKILL')),
  },
  {
    name: 'a cut of every connection of a client',
    kills: false,
    async make(service) {
      service.cut();
      return true;
    },
  },
  standstill('a training process', trains),
  standstill('the DMD service', estimates),
  standstill('the server', ({ pid }) => [{ pid, parent: 0, command: '' }]),
  {
    name: 'a full disk',
    kills: false,
    possible: () => canFillDisk,
    async make({ pid }, random) {
      fillDisk(pid);
      await sleep(random.between(...PAUSE));
      freeDisk(pid);
      return true;
    },
  },
];

/** SIGSTOP, and SIGCONT after a while. */
export function standstill<S>(
  whose: string,
  find: (service: S) => readonly RunningProcess[],
  ms: readonly [least: number, most: number] = PAUSE,
): Fault<S> {
  return {
    name: `a standstill of ${whose}`,
    kills: false,
    possible: (service) => find(service).length > 0,
    make: toOne(find, async (process, random) => {
      signal(process, 'SIGSTOP');
      await sleep(random.between(...ms));
      signal(process, 'SIGCONT');
    }),
  };
}

/** Does something to one of those that there are at the time. */
export function toOne<S>(
  find: (service: S) => readonly RunningProcess[],
  act: (process: RunningProcess, random: Random) => Promise<void> | void,
): Fault<S>['make'] {
  return async (service, random) => {
    const found = find(service);
    if (found.length === 0) return false;
    await act(random.oneOf(found), random);
    return true;
  };
}

/** Does nothing to one that has ended by itself in the meantime. */
export function signal({ pid }: RunningProcess, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
