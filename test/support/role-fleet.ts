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

/** `all` is a server that trains, too. */
export type Role = 'server' | 'worker' | 'all';

export interface FleetOptions {
  readonly servers?: number;
  readonly workers?: number;
  /** Processes that do both. @default 0 */
  readonly both?: number;
  /** Flags of all of them. */
  readonly args?: readonly string[];
  readonly leaseMs?: number;
  /** More flags of one of them, which go before the others'. @param url of the database. */
  readonly argsOf?: (role: Role, url: string) => readonly string[];
  /** Variables of all of them. */
  readonly env?: NodeJS.ProcessEnv;
  /** Of the database server. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Makes the database. @returns its URL. @default an empty one as the server makes it */
  readonly database?: (postgres: TestPostgres) => Promise<string>;
}

/** Of a log, where a process has ended that should not have. */
const LAST_LINES = 5;

/** What the name of the n-th worker begins with, from 0. */
export const workerName = (n: number): string => `worker-${n}-`;

interface StartOptions {
  /** Flags. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A server or worker, whichever process it is at the time. */
export class FleetProcess {
  readonly role: Role;
  /** Where a server listens, each time. */
  readonly address: string;
  /** Its own, which no other process sees; there once it has something to keep there. */
  readonly folder: string;
  /** Lines of its logs so far. */
  readonly log: string[] = [];
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  /** Whether it was told to end, or killed. */
  #told = false;
  #ended: Promise<number | null> = Promise.resolve(null);

  constructor(
    role: Role,
    address: string,
    folder: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ) {
    this.#env = env;
    this.role = role;
    this.address = address;
    this.folder = folder;
    this.#args = ['--store-dir', folder, ...args];
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** How it ended, when nobody has told it to or killed it through this; undefined otherwise. */
  get endedByItself(): string | undefined {
    if (this.#child === undefined || this.running || this.#told) return undefined;
    const { exitCode, signalCode } = this.#child;
    return `a ${this.role} ended by itself with ${exitCode ?? signalCode}: ${this.log.slice(-LAST_LINES).join(' ')}`;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The exit code once it has ended; null when a signal has ended it. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  /** Resolves when it is ready. @param env besides what it has of this process. */
  async start({ args: more = [], env = {} }: StartOptions = {}): Promise<void> {
    const listen = this.role === 'worker' ? [] : ['--listen', this.address];
    const args = [MAIN, '--role', this.role, '--exit-with-stdin', ...listen, ...this.#args, ...more];
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...withoutSettings(), ...this.#env, ...env },
      detached: true,
    });
    child.stdin.on('error', () => {});
    createInterface({ input: child.stderr }).on('line', (line) => this.log.push(line));
    this.#child = child;
    this.#told = false;
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
    this.#told = true;
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  async stop(): Promise<number | null> {
    this.#told = true;
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
    const { servers = 1, workers = 1, both = 0, args = [], leaseMs = LEASE_MS, settings, env = {} } = options;
    const { argsOf = () => [], database = (at: TestPostgres) => at.newDatabase() } = options;
    await using cleanUp = new AsyncDisposableStack();
    const postgres = cleanUp.use(await TestPostgres.start(settings));
    const url = await database(postgres);
    const folder = cleanUp.use(await temporaryFolder()).path;
    const shared = ['--store', url, '--lease-seconds', String(leaseMs / 1_000), ...args];
    const roles = [
      ...Array<Role>(servers).fill('server'),
      ...Array<Role>(workers).fill('worker'),
      ...Array<Role>(both).fill('all'),
    ];
    const processes: FleetProcess[] = [];
    for (const [i, role] of roles.entries()) {
      const name = role === 'worker' ? ['--worker-name', workerName(i - servers)] : [];
      const own = join(folder, `${role} ${i}`);
      const flags = [...shared, ...name, ...argsOf(role, url)];
      processes.push(new FleetProcess(role, await deadAddress(), own, flags, env));
    }
    for (const each of processes) cleanUp.defer(async () => void (await each.stop()));
    await Promise.all(processes.map((each) => each.start()));
    const address = processes.flatMap((each) => (each.role === 'worker' ? [] : [each.address]));
    const client = cleanUp.use(new GlocalClient({ address }));
    return new RoleFleet(postgres, url, processes, client, folder, shared, cleanUp.move());
  }

  /** Those that serve. */
  get servers(): readonly FleetProcess[] {
    return this.processes.filter(({ role }) => role !== 'worker');
  }

  /** Those that train. */
  get workers(): readonly FleetProcess[] {
    return this.processes.filter(({ role }) => role !== 'server');
  }

  /** Starts those that do not run. */
  async revive(): Promise<void> {
    await Promise.all(this.processes.filter(({ running }) => !running).map((each) => each.start()));
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
