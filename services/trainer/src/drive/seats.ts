/** Who works on which trial from outside: one client a trial, the latest, and not too many in all. */

import { BusyError } from '../resource/errors.ts';

const RETRY_AFTER_MS = 30_000;

export class Seats {
  readonly #max: number;
  readonly #taken = new Map<string, Seat>();

  /** @param max clients at a time. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Takes the trial's seat, from whoever has it. The client has it until the seat is disposed of.
   * @throws BusyError when all seats are taken, by clients of other trials.
   */
  take(trial: string): Seat {
    const before = this.#taken.get(trial);
    if (before === undefined && this.#taken.size >= this.#max) {
      const message = `${this.#max} clients drive trials or report hypergradients, as many as this server allows`;
      throw new BusyError('DRIVERS', message, RETRY_AFTER_MS);
    }
    const seat = new Seat(() => {
      if (this.#taken.get(trial) === seat) this.#taken.delete(trial);
    });
    this.#taken.set(trial, seat);
    before?.lose();
    return seat;
  }
}

export class Seat implements Disposable {
  readonly #leave: () => void;
  readonly #lost = new AbortController();

  /** @internal */
  constructor(leave: () => void) {
    this.#leave = leave;
  }

  /** Aborted when another client takes it. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** @internal */
  lose(): void {
    this.#lost.abort();
  }

  [Symbol.dispose](): void {
    this.#leave();
  }
}
