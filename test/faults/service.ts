/**
 * The service under faults: a trainer with its DMD service at one address, started again after each end. Clients reach it by a
 * relay, so that their connections can be cut.
 */

import { existsSync, readdirSync } from 'node:fs';
import type { ServerChild } from '@glocal/trainer';
import { spawnTrainer } from '@glocal/trainer';
import { withoutSettings } from '../support/environment.ts';
import { deadAddress } from '../support/ports.ts';
import { Relay } from '../support/relay.ts';
import type { Subject } from './campaign.ts';

export class Service implements Subject, AsyncDisposable {
  /** Of the store's file. */
  readonly store: string;
  /** Lines of the log of all its servers. */
  readonly log: string[] = [];
  readonly #relay: Relay;
  readonly #args: readonly string[];
  #server: ServerChild | undefined;

  private constructor(store: string, relay: Relay, args: readonly string[]) {
    this.store = store;
    this.#relay = relay;
    this.#args = ['--store', store, ...args];
  }

  /** @param store path of the store. */
  static async start(store: string, args: readonly string[] = []): Promise<Service> {
    const upstream = await deadAddress();
    const relay = await Relay.start(upstream);
    const service = new Service(store, relay, [...args, '--listen', upstream]);
    await service.restart();
    return service;
  }

  /** For clients. */
  get address(): string {
    return this.#relay.address;
  }

  /** Of the server that runs now. */
  get pid(): number {
    if (this.#server === undefined) throw new Error('the server does not run');
    return this.#server.pid;
  }

  /** Starts a server where none runs. @throws ServerStartError */
  async restart(): Promise<void> {
    this.#server = await spawnTrainer({
      args: this.#args,
      env: withoutSettings(),
      log: (line) => this.log.push(line),
    });
  }

  /** Ends the server as the operating system does when memory is short. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.#server?.ended;
  }

  /** Cuts the connections of all clients. */
  cut(): void {
    this.#relay.cut();
  }

  async renew(): Promise<void> {
    await this.kill();
    await this.restart();
  }

  /** Files. */
  async leftOver(artifacts: readonly string[]): Promise<readonly string[]> {
    const names = (path: string) => (existsSync(path) ? readdirSync(path) : []);
    const uploads = names(`${this.store}.artifacts`);
    return [
      ...names(`${this.store}.checkpoints`),
      ...uploads.filter((name) => !artifacts.includes(`artifacts/${name}`)),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop();
    await this.#relay[Symbol.asyncDispose]();
  }
}
