/** Real trainers on one PostgreSQL database of their own. */

import { vi } from 'vitest';
import { deadAddress } from './ports.ts';
import { TestPostgres } from './postgres.ts';
import { trainingProcesses } from './processes.ts';
import { Relay } from './relay.ts';
import { TestTrainer, temporaryFolder } from './trainer.ts';

export class TestFleet implements AsyncDisposable {
  readonly #url: string;
  readonly #folder: string;
  readonly #args: readonly string[];
  readonly #cleanUp: AsyncDisposableStack;
  #trainers: TestTrainer[] = [];

  private constructor(url: string, folder: string, args: readonly string[], cleanUp: AsyncDisposableStack) {
    this.#url = url;
    this.#folder = folder;
    this.#args = args;
    this.#cleanUp = cleanUp;
  }

  /** @param args flags of each trainer. */
  static async start(trainers: number, args: readonly string[] = []): Promise<TestFleet> {
    await using cleanUp = new AsyncDisposableStack();
    const postgres = cleanUp.use(await TestPostgres.start());
    const folder = cleanUp.use(await temporaryFolder()).path;
    const fleet = new TestFleet(await postgres.newDatabase(), folder, args, cleanUp.move());
    try {
      await Promise.all(Array.from({ length: trainers }, () => fleet.add()));
      return fleet;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Those that have not been killed. */
  get trainers(): readonly TestTrainer[] {
    return this.#trainers;
  }

  /** One more. */
  async add(): Promise<TestTrainer> {
    const args = ['--store-dir', this.#folder, ...this.#args];
    const trainer = this.#cleanUp.use(await TestTrainer.start({ store: this.#url, args }));
    this.#trainers.push(trainer);
    return trainer;
  }

  async kill(trainer: TestTrainer): Promise<void> {
    this.#trainers = this.#trainers.filter((other) => other !== trainer);
    await trainer.kill();
  }

  /** Who trains, where only one trial runs, and another one. */
  async roles(): Promise<{ readonly training: TestTrainer; readonly other: TestTrainer }> {
    const trains = ({ pid }: TestTrainer) => trainingProcesses(pid).length > 0;
    const training = await vi.waitUntil(() => this.#trainers.find(trains), { timeout: 30_000, interval: 20 });
    const other = this.#trainers.find((trainer) => trainer !== training);
    if (other === undefined) throw new Error('there is only one trainer');
    return { training, other };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp.disposeAsync();
  }
}

/** A second address, on which nothing answers until there is somebody to answer. */
export class LateAddress implements AsyncDisposable {
  readonly address: string;
  #relay: Relay | undefined;

  private constructor(address: string) {
    this.address = address;
  }

  static async reserve(): Promise<LateAddress> {
    return new LateAddress(await deadAddress());
  }

  /** From now on it leads to a server. */
  async leadTo(upstream: string): Promise<void> {
    this.#relay = await Relay.start(upstream, Number(this.address.split(':')[1]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay?.[Symbol.asyncDispose]();
  }
}
