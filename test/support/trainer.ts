/** A real trainer with its own DMD service: on a free port, with a store of its own. */

import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlocalClient } from '@glocal/sdk';
import type { ServerChild } from '@glocal/trainer';
import { spawnTrainer } from '@glocal/trainer';
import { withoutSettings } from './environment.ts';

export interface TestTrainerOptions {
  /** Flags. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Path of the store; by default an empty one, which is removed in the end. */
  readonly store?: string;
}

/** Temporary folders of this product are called alike. */
export const temporaryFolder = () => mkdtempDisposable(join(tmpdir(), 'glocal-test-'));

/** The server, and a client of it. */
export class TestTrainer implements AsyncDisposable {
  readonly server: ServerChild;
  readonly client: GlocalClient;
  readonly store: string;
  /** Lines of its log so far. */
  readonly log: readonly string[];
  readonly #cleanUp: AsyncDisposableStack;

  private constructor(
    server: ServerChild,
    client: GlocalClient,
    store: string,
    log: readonly string[],
    cleanUp: AsyncDisposableStack,
  ) {
    this.server = server;
    this.client = client;
    this.store = store;
    this.log = log;
    this.#cleanUp = cleanUp;
  }

  static async start({ args = [], env = {}, store }: TestTrainerOptions = {}): Promise<TestTrainer> {
    await using cleanUp = new AsyncDisposableStack();
    const path = store ?? join(cleanUp.use(await temporaryFolder()).path, 'studies.db');
    const log: string[] = [];
    const server = await spawnTrainer({
      args: ['--store', path, ...args],
      env: { ...withoutSettings(), ...env },
      log: (line) => log.push(line),
    });
    cleanUp.defer(() => server.stop());
    const client = cleanUp.use(await GlocalClient.connect({ address: server.address }));
    return new TestTrainer(server, client, path, log, cleanUp.move());
  }

  get address(): string {
    return this.server.address;
  }

  get pid(): number {
    return this.server.pid;
  }

  /** Ends the server as the operating system does when memory is short. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.server.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp.disposeAsync();
  }
}
