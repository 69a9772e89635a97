/** Who works on which trial from outside: one client a trial, the latest, and not too many in all. */

import { LocalNotices, type Notices } from '../notices/notices.ts';
import { Places } from '../resource/places.ts';

const RETRY_AFTER_MS = 30_000;

export class Seats {
  readonly #places: Places;
  readonly #taken = new Map<string, Seat>();

  readonly #notices: Notices;

  /**
   * @param max clients at a time.
   * @param notices of the processes that share the store, at which others may take a trial's seat.
   */
  constructor(max: number, notices: Notices = new LocalNotices()) {
    this.#notices = notices;
    notices.subscribe((notice, origin) => {
      if (notice.kind === 'seat' && origin === 'elsewhere')
        this.#taken.get(notice.trial)?.heard(notice.number);
    });
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
    const seat = new Seat(place, {
      leave: () => {
        if (this.#taken.get(trial) !== seat) return;
        this.#taken.delete(trial);
        place[Symbol.dispose]();
      },
      numbered: (number) => this.#notices.publish({ kind: 'seat', trial, number }),
    });
    this.#taken.set(trial, seat);
    before?.lose();
    return seat;
  }
}

/** What a seat tells. */
interface SeatListener {
  leave(): void;
  numbered(number: number): void;
}

export class Seat implements Disposable {
  /** @internal Goes on to who takes the seat. */
  readonly place: Disposable;
  readonly #listener: SeatListener;
  readonly #lost = new AbortController();
  /** Rises with each client, wherever it comes to; undefined until the store has told it. */
  #number: number | undefined;
  /** Of the client that is known to have come last. */
  #latest = 0;

  /** @internal */
  constructor(place: Disposable, listener: SeatListener) {
    this.place = place;
    this.#listener = listener;
  }

  /** Aborted when another client takes it. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Who has a seat of this trial elsewhere, with a lower number, has lost it. @param number as the store says. */
  number(number: number): void {
    this.#number = number;
    this.#listener.numbered(number);
    this.heard(this.#latest);
  }

  /** Another client may have come elsewhere. @param number of the last that came. */
  heard(number: number): void {
    this.#latest = Math.max(this.#latest, number);
    if (this.#number !== undefined && this.#latest > this.#number) this.lose();
  }

  /** @internal */
  lose(): void {
    this.#lost.abort();
  }

  [Symbol.dispose](): void {
    this.#listener.leave();
  }
}
