/** Servers and workers on one PostgreSQL database, each a process of its own that can be killed and started again. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GlocalClient } from '@glocal/sdk';
import { withoutSettings } from './environment.ts';
import { deadAddress } from './ports.ts';
import { TestPostgres } from './postgres.ts';
import { temporaryFolder } from './trainer.ts';

const MAIN = fileURLToPath(import.meta.resolve('@glocal/trainer/main'));
const READY = /(?:listening on|works as) (\S+)$/;

/** Short, so that tests are; of the fleets here unless they say otherwise. */
export const LEASE_MS = 2_000;

export interface FleetOptions {
  readonly servers?: number;
  readonly workers?: number;
  /** Flags of all of them. */
  readonly args?: readonly string[];
  readonly leaseMs?: number;
  /** Of the database server. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What the name of the n-th worker begins with, from 0. */
export const workerName = (n: number): string => `worker-${n}-`;

interface StartOptions {
  /** Flags. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A server or worker, whichever process it is at the time. */
export class FleetProcess {
  readonly role: 'server' | 'worker';
  /** Where a server listens, each time. */
  readonly address: string;
  /** Its own, which no other process sees; there once it has something to keep there. */
  readonly folder: string;
  /** Lines of its logs so far. */
  readonly log: string[] = [];
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);

  constructor(role: 'server' | 'worker', address: string, folder: string, args: readonly string[]) {
    this.role = role;
    this.address = address;
    this.folder = folder;
    this.#args = ['--store-dir', folder, ...args];
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** The exit code once it has ended; null when a signal has ended it. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  /** Resolves when it is ready. @param env besides what it has of this process. */
  async start({ args: more = [], env = {} }: StartOptions = {}): Promise<void> {
    const listen = this.role === 'server' ? ['--listen', this.address] : [];
    const args = [MAIN, '--role', this.role, '--exit-with-stdin', ...listen, ...this.#args, ...more];
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...withoutSettings(), ...env },
      detached: true,
    });
    child.stdin.on('error', () => {});
    createInterface({ input: child.stderr }).on('line', (line) => this.log.push(line));
    this.#child = child;
    this.#ended = once(child, 'close').then(([code]) => code as number | null);
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => READY.test(line) && resolve());
    });
    const code = await Promise.race([ready, this.#ended]);
    if (code !== undefined) throw new Error(`a ${this.role} ended with ${code}: ${this.log.at(-1)}`);
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Ends it as the operating system does when memory is short. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  async stop(): Promise<number | null> {
    this.#child?.stdin?.end();
    this.#child?.kill('SIGTERM');
    return this.#ended;
  }
}

export class RoleFleet implements AsyncDisposable {
  readonly postgres: TestPostgres;
  /** Of the database. */
  readonly url: string;
  readonly processes: readonly FleetProcess[];
  /** Knows all servers. */
  readonly client: GlocalClient;
  /** Has those of all processes. */
  readonly #folder: string;
  readonly #args: readonly string[];
  readonly #cleanUp: AsyncDisposableStack;

  private constructor(
    postgres: TestPostgres,
    url: string,
    processes: readonly FleetProcess[],
    client: GlocalClient,
    folder: string,
    args: readonly string[],
    cleanUp: AsyncDisposableStack,
  ) {
    this.#folder = folder;
    this.#args = args;
    this.postgres = postgres;
    this.url = url;
    this.processes = processes;
    this.client = client;
    this.#cleanUp = cleanUp;
  }

  static async start(options: FleetOptions = {}): Promise<RoleFleet> {
    const { servers = 1, workers = 1, args = [], leaseMs = LEASE_MS, settings } = options;
    await using cleanUp = new AsyncDisposableStack();
    const postgres = cleanUp.use(await TestPostgres.start(settings));
    const url = await postgres.newDatabase();
    const folder = cleanUp.use(await temporaryFolder()).path;
    const shared = ['--store', url, '--lease-seconds', String(leaseMs / 1_000), ...args];
    const roles = [...Array<'server'>(servers).fill('server'), ...Array<'worker'>(workers).fill('worker')];
    const processes: FleetProcess[] = [];
    for (const [i, role] of roles.entries()) {
      const name = role === 'worker' ? ['--worker-name', workerName(i - servers)] : [];
      const own = join(folder, `${role} ${i}`);
      processes.push(new FleetProcess(role, await deadAddress(), own, [...shared, ...name]));
    }
    for (const each of processes) cleanUp.defer(async () => void (await each.stop()));
    await Promise.all(processes.map((each) => each.start()));
    const address = processes.filter(({ role }) => role === 'server').map((server) => server.address);
    const client = cleanUp.use(new GlocalClient({ address }));
    return new RoleFleet(postgres, url, processes, client, folder, shared, cleanUp.move());
  }

  get workers(): readonly FleetProcess[] {
    return this.processes.filter(({ role }) => role === 'worker');
  }

  /** Ends all of them as the operating system does: nothing that they do is needed any more. */
  async kill(): Promise<void> {
    await Promise.all(this.processes.map((each) => each.kill()));
  }

  /** One more worker of the same fleet, which is not started yet. */
  another(): FleetProcess {
    const worker = new FleetProcess('worker', '', join(this.#folder, 'another'), this.#args);
    this.#cleanUp.defer(async () => void (await worker.stop()));
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp.disposeAsync();
  }
}
