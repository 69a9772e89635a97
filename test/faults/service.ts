/** The service under faults: a trainer with its DMD service at one address, started again after each end. */

import type { ServerChild } from '@glocal/trainer';
import { spawnTrainer } from '@glocal/trainer';
import { withoutSettings } from '../support/environment.ts';
import { deadAddress } from '../support/ports.ts';

export class Service implements AsyncDisposable {
  readonly address: string;
  /** Lines of the log of all its servers. */
  readonly log: string[] = [];
  readonly #args: readonly string[];
  #server: ServerChild | undefined;

  private constructor(address: string, args: readonly string[]) {
    this.address = address;
    this.#args = args;
  }

  /** @param store path of the store. */
  static async start(store: string, args: readonly string[] = []): Promise<Service> {
    const service = new Service(await deadAddress(), ['--store', store, ...args]);
    await service.restart();
    return service;
  }

  /** Of the server that runs now. */
  get pid(): number {
    if (this.#server === undefined) throw new Error('the server does not run');
    return this.#server.pid;
  }

  /** Starts a server where none runs. @throws ServerStartError */
  async restart(): Promise<void> {
    this.#server = await spawnTrainer({
      args: [...this.#args, '--listen', this.address],
      env: withoutSettings(),
      log: (line) => this.log.push(line),
    });
  }

  /** Ends the server as the operating system does when memory is short. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.#server?.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop();
  }
}
