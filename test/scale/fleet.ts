/** Servers and workers on one PostgreSQL database, each a process of its own that can be killed and started again. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GlocalClient } from '@glocal/sdk';
import { withoutSettings } from '../support/environment.ts';
import { deadAddress } from '../support/ports.ts';
import { TestPostgres } from '../support/postgres.ts';
import { temporaryFolder } from '../support/trainer.ts';

const MAIN = fileURLToPath(import.meta.resolve('@glocal/trainer/main'));
const READY = /(?:listening on|works as) (\S+)$/;

/** What the name of the n-th worker begins with, from 0. */
export const workerName = (n: number): string => `worker-${n}-`;

export interface FleetOptions {
  readonly servers: number;
  readonly workers: number;
  /** Flags of all of them. */
  readonly args: readonly string[];
  readonly leaseMs: number;
  /** Of the database server. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A server or worker, whichever process it is at the time. */
export class FleetProcess {
  readonly role: 'server' | 'worker';
  /** Where a server listens, each time. */
  readonly address: string;
  /** Lines of its logs so far. */
  readonly log: string[] = [];
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);

  constructor(role: 'server' | 'worker', address: string, args: readonly string[]) {
    this.role = role;
    this.address = address;
    this.#args = args;
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    const listen = this.role === 'server' ? ['--listen', this.address] : [];
    const args = [MAIN, '--role', this.role, '--exit-with-stdin', ...listen, ...this.#args];
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: withoutSettings(),
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

  /** Ends it as the operating system does when memory is short. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }
}

export class Fleet implements AsyncDisposable {
  readonly postgres: TestPostgres;
  /** Of the database. */
  readonly url: string;
  readonly processes: readonly FleetProcess[];
  /** Knows all servers. */
  readonly client: GlocalClient;
  readonly #cleanUp: AsyncDisposableStack;

  private constructor(
    postgres: TestPostgres,
    url: string,
    processes: readonly FleetProcess[],
    client: GlocalClient,
    cleanUp: AsyncDisposableStack,
  ) {
    this.postgres = postgres;
    this.url = url;
    this.processes = processes;
    this.client = client;
    this.#cleanUp = cleanUp;
  }

  static async start(options: FleetOptions): Promise<Fleet> {
    const { servers, workers, args, leaseMs, settings } = options;
    await using cleanUp = new AsyncDisposableStack();
    const postgres = cleanUp.use(await TestPostgres.start(settings));
    const url = await postgres.newDatabase();
    const folder = cleanUp.use(await temporaryFolder()).path;
    const shared = [
      '--store',
      url,
      '--store-dir',
      folder,
      '--lease-seconds',
      String(leaseMs / 1_000),
      ...args,
    ];
    const roles = [...Array<'server'>(servers).fill('server'), ...Array<'worker'>(workers).fill('worker')];
    const processes: FleetProcess[] = [];
    for (const [i, role] of roles.entries()) {
      const name = role === 'worker' ? ['--worker-name', workerName(i - servers)] : [];
      processes.push(new FleetProcess(role, await deadAddress(), [...shared, ...name]));
    }
    for (const each of processes) cleanUp.defer(() => each.kill());
    await Promise.all(processes.map((each) => each.start()));
    const address = processes.filter(({ role }) => role === 'server').map((server) => server.address);
    const client = cleanUp.use(new GlocalClient({ address }));
    return new Fleet(postgres, url, processes, client, cleanUp.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp.disposeAsync();
  }
}
