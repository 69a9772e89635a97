/** Who works on which trial from outside: one client a trial, the latest, and not too many in all. */

import { Places } from '../resource/places.ts';

const RETRY_AFTER_MS = 30_000;

export class Seats {
  readonly #places: Places;
  readonly #taken = new Map<string, Seat>();

  /** @param max clients at a time. */
  constructor(max: number) {
    this.#places = new Places({
      max,
      what: 'clients drive trials or report hypergradients',
      reason: 'DRIVERS',
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  /**
   * Takes the trial's seat, from whoever has it. The client has it until the seat is disposed of.
   * @param owner of the trial.
   * @throws BusyError when all seats are taken, by clients of other trials, or as many as there may be of this owner's.
   */
  take(trial: string, owner: string): Seat {
    const before = this.#taken.get(trial);
    const place = before?.place ?? this.#places.take(owner);
    const seat = new Seat(place, () => {
      if (this.#taken.get(trial) !== seat) return;
      this.#taken.delete(trial);
      place[Symbol.dispose]();
    });
    this.#taken.set(trial, seat);
    before?.lose();
    return seat;
  }
}

export class Seat implements Disposable {
  /** @internal Goes on to who takes the seat. */
  readonly place: Disposable;
  readonly #leave: () => void;
  readonly #lost = new AbortController();

  /** @internal */
  constructor(place: Disposable, leave: () => void) {
    this.place = place;
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
