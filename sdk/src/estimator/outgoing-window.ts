/** A window on its way to the DMD service: its messages, which can be said again over another connection, and its answers. */

import type { EstimateGlocalResponse, WindowSpec } from '@glocal/proto/glocal/v1/dmd';
import { encodeHypergradient, encodeRequest } from '@glocal/trainer/outer';
import { type Deferred, deferred } from '../deferred.ts';
import { decodeReport, type WindowReport } from '../report.ts';
import { asOptions } from './window-spec.ts';

interface Message {
  readonly encoded: Buffer;
  /** Resolves when it has been sent, for the first time. */
  readonly sent: Deferred<void>;
  /** Of a message that asks for a report in the middle. */
  readonly estimate?: Estimate;
}

interface Estimate {
  /** Rows that it is about. */
  readonly rows: number;
  readonly answer: Deferred<WindowReport>;
  isAnswered: boolean;
}

export class OutgoingWindow {
  readonly id: string;
  /** Told that there is something to send. */
  onMessage: () => void = () => {};
  /** What a message has of a row at most. */
  readonly #partLength: number;
  readonly #report = deferred<WindowReport>();
  #messages: Message[] = [];
  /** How many of them have been sent over the connection that there is. */
  #position = 0;
  #rows = 0;
  #failure: { readonly error: unknown } | undefined;

  /** @param partBytes what a message has of a row at most */
  constructor(id: string, spec: WindowSpec, partBytes: number) {
    this.id = id;
    this.#partLength = Math.floor(partBytes / Float64Array.BYTES_PER_ELEMENT);
    void this.#add(encodeRequest({ windowId: id, payload: { $case: 'open', value: spec } }));
  }

  /** Rows that have been given. */
  get rows(): number {
    return this.#rows;
  }

  /** The report on the whole window. */
  get report(): Promise<WindowReport> {
    return this.#report.promise;
  }

  /** Resolves when there is room for more. The row may be changed after the call. */
  push(row: Float64Array): Promise<void> {
    const position = this.#rows++;
    const isWhole = row.length <= this.#partLength;
    const sent: Promise<void>[] = [];
    for (let start = 0; start < row.length; start += this.#partLength) {
      const values = row.subarray(start, start + this.#partLength);
      sent.push(this.#add(encodeHypergradient(this.id, position, values, isWhole ? undefined : start)));
    }
    return sent.at(-1) ?? Promise.resolve();
  }

  /** A report on the rows that have been given so far. */
  estimate(): Promise<WindowReport> {
    const estimate = { rows: this.#rows, answer: deferred<WindowReport>(), isAnswered: false };
    const request = { windowId: this.id, payload: { $case: 'estimate' as const, value: {} } };
    void this.#add(encodeRequest(request), estimate);
    return estimate.answer.promise;
  }

  /** Whether {@link next} has something to say. */
  get hasNext(): boolean {
    return this.#position < this.#messages.length;
  }

  /** The next message, and what to call when it has been sent. */
  next(): { readonly encoded: Buffer; readonly sent: () => void } | undefined {
    const message = this.#messages[this.#position];
    if (message === undefined) return undefined;
    this.#position += 1;
    return { encoded: message.encoded, sent: message.sent.resolve };
  }

  /** The connection was lost: all is said again, but for what has been answered. */
  rewind(): void {
    this.#messages = this.#messages.filter(({ estimate }) => estimate?.isAnswered !== true);
    this.#position = 0;
  }

  /** @returns whether that was the last of its answers */
  take({ report, rowsSoFar }: EstimateGlocalResponse): boolean {
    if (report === undefined) return false;
    const decoded = decodeReport(report);
    if (rowsSoFar === undefined) {
      this.#report.resolve(decoded);
      this.#forget();
      return true;
    }
    const asked = this.#estimates.find(({ rows, isAnswered }) => rows === rowsSoFar && !isAnswered);
    if (asked !== undefined) {
      asked.isAnswered = true;
      asked.answer.resolve(decoded);
    }
    return false;
  }

  /** Nothing more will be answered. Who waits is told, now and later; a rejection that nobody waits for is no unhandled one. */
  fail(error: unknown): void {
    const told = asOptions(error);
    this.#failure ??= { error: told };
    this.#report.reject(told);
    for (const { answer } of this.#estimates) answer.reject(told);
    for (const { sent } of this.#messages) sent.reject(told);
    this.#forget();
  }

  get #estimates(): Estimate[] {
    return this.#messages.flatMap(({ estimate }) => estimate ?? []);
  }

  #add(encoded: Buffer, estimate?: Estimate): Promise<void> {
    const sent = deferred<void>();
    if (this.#failure !== undefined) {
      sent.reject(this.#failure.error);
      estimate?.answer.reject(this.#failure.error);
      return sent.promise;
    }
    this.#messages.push({ encoded, sent, ...(estimate && { estimate }) });
    this.onMessage();
    return sent.promise;
  }

  #forget(): void {
    this.#messages = [];
    this.#position = 0;
  }
}
