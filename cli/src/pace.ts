/** How fast something comes on, and how long the rest of it will take. */

/** Marks that the pace is taken over: it follows changes, and a pause is soon forgotten. */
const REMEMBERED = 20;

interface Mark {
  readonly milliseconds: number;
  readonly done: number;
}

export class Pace {
  readonly #marks: Mark[] = [];

  /** @param milliseconds of any clock, the same for all marks. */
  mark(done: number, milliseconds: number): void {
    const last = this.#marks.at(-1);
    // It went back: what was rolled back or resumed from a checkpoint is done again.
    if (last !== undefined && done < last.done) this.#marks.length = 0;
    this.#marks.push({ done, milliseconds });
    if (this.#marks.length > REMEMBERED) this.#marks.shift();
  }

  /** Seconds until `total` is done; undefined as long as there is nothing to judge by. */
  left(total: number): number | undefined {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (first === undefined || last === undefined || last.done <= first.done) return undefined;
    const each = (last.milliseconds - first.milliseconds) / (last.done - first.done);
    return (each * Math.max(0, total - last.done)) / 1_000;
  }
}
