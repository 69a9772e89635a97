/** What can go wrong, and how it is made to. */

import { setTimeout as sleep } from 'node:timers/promises';
import { canFillDisk, fillDisk, freeDisk } from '../support/disk.ts';
import { dmdProcesses, type RunningProcess, trainingProcesses, untilGone } from '../support/processes.ts';
import { damageNewestCheckpoints } from './damage.ts';
import type { Random } from './random.ts';
import type { Service } from './service.ts';

export interface Fault {
  /** For people. */
  readonly name: string;
  /** Whether it counts as a kill. */
  readonly kills: boolean;
  /** Whether a trial loses its process by it, which counts as a crash. */
  readonly lames?: boolean;
  /** Whether there is a new server after it. */
  readonly restarts?: boolean;
  /** Whether it may be made now; without it always. */
  readonly possible?: (service: Service, situation: Situation) => boolean;
  /** Resolves when the service is whole again, or on the way there by itself. */
  readonly make: (service: Service, random: Random) => Promise<void>;
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
const PAUSE = [200, 1_500] as const;

export const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 of the server',
    kills: true,
    restarts: true,
    possible: (_service, { young }) => !young,
    async make(service, random) {
      await service.kill();
      await sleep(random.between(0, 500));
      await service.restart();
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
    },
  },
  {
    name: 'kill -9 of a training process',
    kills: true,
    lames: true,
    possible: (service, { fragile }) => !fragile && trains(service).length > 0,
    make: async (service, random) => signal(random.oneOf(trains(service)), 'SIGKILL'),
  },
  {
    name: 'kill -9 of the DMD service',
    kills: true,
    possible: (service) => estimates(service).length > 0,
    make: async (service, random) => signal(random.oneOf(estimates(service)), 'SIGKILL'),
  },
  {
    name: 'a cut of every connection of a client',
    kills: false,
    make: async (service) => service.cut(),
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
    },
  },
];

/** SIGSTOP, and SIGCONT after a while. */
function standstill(whose: string, find: (service: Service) => readonly RunningProcess[]): Fault {
  return {
    name: `a standstill of ${whose}`,
    kills: false,
    possible: (service) => find(service).length > 0,
    async make(service, random) {
      const process = random.oneOf(find(service));
      signal(process, 'SIGSTOP');
      await sleep(random.between(...PAUSE));
      signal(process, 'SIGCONT');
    },
  };
}

function signal({ pid }: RunningProcess, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended by itself in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
