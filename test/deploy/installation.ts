/**
 * A rendered chart, installed on this machine: its containers as processes, a real PostgreSQL with TLS, the Secrets that whoever
 * installs it makes, and clients with a certificate and a token. In namespaces of its own (inside.ts).
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { GlocalClient } from '@glocal/sdk';
import { TEST_PASSWORD, TestPostgres } from '../support/postgres.ts';
import { temporaryFolder } from '../support/trainer.ts';
import { Cluster } from './cluster/cluster.ts';
import { forward } from './forward.ts';
import { DATABASE, type Keys, makeKeys, SERVER, secrets } from './secrets.ts';

/** The Service, and Deployment, of servers. */
export const SERVERS = 'glocal';
const PORT = 50_061;

export class Installation implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly keys: Keys;
  readonly postgres: TestPostgres;
  readonly #cleanUp: AsyncDisposableStack;

  private constructor(cluster: Cluster, keys: Keys, postgres: TestPostgres, cleanUp: AsyncDisposableStack) {
    this.cluster = cluster;
    this.keys = keys;
    this.postgres = postgres;
    this.#cleanUp = cleanUp;
  }

  /** A cluster without anything but a database. @param database its name there. */
  static async begin(database = DATABASE): Promise<Installation> {
    await using cleanUp = new AsyncDisposableStack();
    const keys = await makeKeys(TEST_PASSWORD, database);
    const { path } = cleanUp.use(await temporaryFolder());
    const postgres = cleanUp.use(await TestPostgres.start({}, keys.database));
    await postgres.run('CREATE DATABASE glocal');
    const cluster = cleanUp.use(await Cluster.create(path, 'glocal'));
    const { network } = cluster;
    cleanUp.use(await forward(`${network.machine}:5432`, `127.0.0.1:${postgres.port}`));
    network.name(database, [network.machine]);
    return new Installation(cluster, keys, postgres, cleanUp.move());
  }

  /** Makes the Secrets, and waits until all pods are ready. @returns after how many seconds. */
  async settle(): Promise<number> {
    await this.cluster.apply(secrets(this.keys));
    const began = performance.now();
    await this.cluster.settled();
    return (performance.now() - began) / 1_000;
  }

  /** Where the servers are reached, host:port. */
  get address(): string {
    return `${this.cluster.addressOf(SERVERS)}:${PORT}`;
  }

  connect(): Promise<GlocalClient> {
    const { authority, client, token } = this.keys;
    const tls = { ca: authority.cert, cert: client.cert, key: client.key, serverName: SERVER };
    return GlocalClient.connect({ address: this.address, tls, token });
  }

  /** What a pod of the servers waits for that is not there. */
  async waiting(): Promise<string> {
    for (;;) {
      const [pod] = this.cluster.pods(SERVERS);
      if (pod?.waiting) return pod.waiting;
      await sleep(100);
    }
  }

  /** Lines about containers that were killed, or that a probe found dead. */
  get unclean(): readonly string[] {
    return this.cluster.log.filter((line) =>
      /killed, for it did not end|is not alive|has not started/.test(line),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp.disposeAsync();
  }
}

/** What a script says of its progress, to whoever reads along. */
export const say = (what: string): void => console.error(`${new Date().toISOString()} ${what}`);
