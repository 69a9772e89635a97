/** A fleet under faults: two servers and two workers on one PostgreSQL database, where checkpoints and uploads are, too. */

import { setTimeout as sleep } from 'node:timers/promises';
import { dmdProcesses, type RunningProcess, trainingProcesses } from '../support/processes.ts';
import { type FleetProcess, LEASE_MS, RoleFleet } from '../support/role-fleet.ts';
import type { Subject } from './campaign.ts';
import { type Fault, PAUSE, signal, standstill, toOne } from './fault.ts';
import type { Random } from './random.ts';

export class FleetService implements Subject, AsyncDisposable {
  /** Of all servers: a client goes on at the next. */
  readonly address: string;
  readonly fleet: RoleFleet;

  private constructor(fleet: RoleFleet) {
    this.fleet = fleet;
    this.address = `ipv4:${fleet.servers.map((server) => server.address).join(',')}`;
  }

  static async start(): Promise<FleetService> {
    // The same arithmetic wherever a trial goes on; it is there at once, where the native runtime takes a second or two.
    const args = ['--backend', 'wasm', '--max-running-trials', '2'];
    return new FleetService(await RoleFleet.start({ servers: 2, workers: 2, args }));
  }

  get log(): readonly string[] {
    return this.fleet.processes.flatMap(({ log }) => log);
  }

  async renew(): Promise<void> {
    await this.fleet.kill();
    await this.fleet.revive();
  }

  /** Rows. Checkpoints that somebody was about to write when the trial's next worker ended it are removed after an hour. */
  async leftOver(artifacts: readonly string[]): Promise<readonly string[]> {
    const rows = await this.fleet.postgres.run('SELECT key FROM glocal.objects', this.fleet.url);
    const kept = (key: string) =>
      key.startsWith('checkpoints/') || artifacts.some((name) => key.startsWith(`${name}/`));
    return rows.map(({ key }) => String(key)).filter((key) => !kept(key));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Rather than stopped, which takes a while.
    await this.fleet.kill();
    await this.fleet[Symbol.asyncDispose]();
  }
}

/** Milliseconds that something is away, at most. */
const AWAY = 500;
/** Longer than a lease. */
const BEYOND = [LEASE_MS + 500, 2 * LEASE_MS] as const;

const asProcess = ({ pid }: FleetProcess): RunningProcess => ({ pid, parent: 0, command: '' });
const workers = ({ fleet }: FleetService) => fleet.workers.map(asProcess);
const ofWorkers =
  (find: (pid: number) => RunningProcess[]) =>
  ({ fleet }: FleetService): RunningProcess[] =>
    fleet.workers.flatMap(({ pid }) => find(pid));

export const FLEET_FAULTS: readonly Fault<FleetService>[] = [
  killOf('a server', ({ servers }) => servers),
  { ...killOf('a worker', (fleet) => fleet.workers), restarts: true, possible: (_, { young }) => !young },
  {
    name: 'kill -9 of a training process',
    kills: true,
    lames: true,
    possible: (service, { fragile }) => !fragile && ofWorkers(trainingProcesses)(service).length > 0,
    make: toOne(ofWorkers(trainingProcesses), (process) => signal(process, 'SIGKILL')),
  },
  {
    name: 'kill -9 of a DMD service',
    kills: true,
    possible: (service) => ofWorkers(dmdProcesses)(service).length > 0,
    make: toOne(ofWorkers(dmdProcesses), (process) => signal(process, 'SIGKILL')),
  },
  standstill('a server', ({ fleet }) => fleet.servers.map(asProcess)),
  standstill('a worker', workers),
  {
    ...standstill('a worker, beyond its lease', workers, BEYOND),
    restarts: true,
    possible: (_, { young }) => !young,
  },
  standstill('a training process', ofWorkers(trainingProcesses)),
  standstill('a DMD service', ofWorkers(dmdProcesses)),
  {
    name: 'a database that is killed and started again',
    kills: false,
    async make({ fleet: { postgres } }, random) {
      await postgres.stop('SIGQUIT');
      await sleep(random.between(...PAUSE));
      await postgres.start();
      return true;
    },
  },
  {
    name: 'the end of every session of the database',
    kills: false,
    async make({ fleet: { postgres, url } }) {
      const name = new URL(url).pathname.slice(1);
      await postgres.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
      return true;
    },
  },
];

function killOf(whose: string, find: (fleet: RoleFleet) => readonly FleetProcess[]): Fault<FleetService> {
  return {
    name: `kill -9 of ${whose}`,
    kills: true,
    async make({ fleet }, random: Random) {
      const victim = random.oneOf(find(fleet));
      await victim.kill();
      await sleep(random.between(0, AWAY));
      await victim.start();
      return true;
    },
  };
}
