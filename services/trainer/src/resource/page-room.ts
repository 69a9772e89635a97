/** How much of a list fits a page. */

export interface PageLimits {
  /** The most records. */
  readonly limit: number;
  /** The most bytes of encoded records; a single record may have more. */
  readonly maxBytes: number;
}

/** The room of one page, record by record. */
export class PageRoom {
  #records = 0;
  #bytes = 0;
  readonly #limits: PageLimits;

  constructor(limits: PageLimits) {
    this.#limits = limits;
  }

  /**
   * Takes room for one more record, and tells whether there was any; there always is for the first.
   * @param bytes of the encoded record.
   */
  take(bytes: number): boolean {
    const fits =
      this.#records === 0 ||
      (this.#records < this.#limits.limit && this.#bytes + bytes <= this.#limits.maxBytes);
    if (fits) {
      this.#records += 1;
      this.#bytes += bytes;
    }
    return fits;
  }
}
