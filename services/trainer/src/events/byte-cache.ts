/** Byte strings by key, as many as a number of bytes allows; those that were used last stay. */
export class ByteCache<Value extends { readonly bytes: Uint8Array }> {
  readonly #values = new Map<string, Value>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key);
    if (value !== undefined) {
      // A map keeps the order of insertion: the last one used is the last one to go.
      this.#values.delete(key);
      this.#values.set(key, value);
    }
    return value;
  }

  set(key: string, value: Value): void {
    this.#delete(key);
    if (value.bytes.length > this.#maxBytes) return;
    this.#values.set(key, value);
    this.#bytes += value.bytes.length;
    for (const oldest of this.#values.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    this.#bytes -= this.#values.get(key)?.bytes.length ?? 0;
    this.#values.delete(key);
  }
}
