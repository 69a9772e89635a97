/**
 * Notices between processes whose store is one PostgreSQL database, by LISTEN and NOTIFY in a session of their own. What is
 * told while that is lost is lost with it: after each new one everything counts as changed.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { newId } from '../resource/ids.ts';
import type { Notice } from './notice.ts';
import { type Listener, Listeners, type Notices } from './notices.ts';
import { Outbox } from './outbox.ts';
import { decodeNotices, encodeNotices } from './payload.ts';

/** Of a database: all that share a store listen to it. */
const CHANNEL = 'glocal';
/** What comes within so many milliseconds is told together. */
const TOGETHER_MS = 20;
/** A session that has been quiet for so long is asked whether it is there, and given up when it does not answer. */
const QUIET_MS = 15_000;
const ANSWER_MS = 10_000;
/** Until the next attempt at a session. */
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;
/** Whoever closes waits so long for the last notices to go. */
const LAST_WORDS_MS = 1_000;

export interface PostgresNoticesParts {
  /** Makes a session, not yet connected. */
  readonly newClient: () => Promise<Client>;
  readonly log: Pick<Logger, 'warn' | 'info'>;
}

export class PostgresNotices implements Notices {
  readonly shared = true;
  readonly #parts: PostgresNoticesParts;
  readonly #listeners = new Listeners();
  readonly #outbox = new Outbox();
  /** Names this process, so that it does not hear itself. */
  readonly #from = newId();
  readonly #closed = new AbortController();
  readonly #attempted = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  /** When notices were told last, and when anything was heard or told. */
  #toldAt = Number.NEGATIVE_INFINITY;
  #busyAt = Number.NEGATIVE_INFINITY;

  private constructor(parts: PostgresNoticesParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  /** Resolves when it listens, or could not at its first attempt: it goes on trying. */
  static async open(parts: PostgresNoticesParts): Promise<PostgresNotices> {
    const notices = new PostgresNotices(parts);
    await notices.#attempted.promise;
    return notices;
  }

  publish(notice: Notice): void {
    this.#listeners.tell(notice, 'here');
    if (this.#closed.signal.aborted) return;
    this.#outbox.add(notice, performance.now());
    this.#sendLater();
  }

  subscribe(listener: Listener): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    if (!this.#closed.signal.aborted) {
      clearTimeout(this.#timer);
      const patience = new AbortController();
      const lastWords = (this.#sending ?? Promise.resolve()).then(() => this.#send());
      await Promise.race([lastWords, pause(LAST_WORDS_MS, patience.signal)]);
      patience.abort();
      this.#closed.abort();
    }
    await this.#running;
  }

  /** One session after another. */
  async #run(): Promise<void> {
    const { log } = this.#parts;
    const { signal } = this.#closed;
    let wasLost = false;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)) {
      try {
        await this.#session(() => {
          if (wasLost) log.info('notices of other servers are heard again');
          // Some may have been missed.
          if (wasLost) this.#listeners.tell({ kind: 'everything' }, 'elsewhere');
          pauseMs = FIRST_PAUSE_MS;
          wasLost = false;
        });
      } catch (error) {
        if (!wasLost) {
          const reason = error instanceof Error ? error.message : String(error);
          log.warn(
            { reason },
            'notices of other servers are not heard for now: the store is asked every few seconds',
          );
        }
        wasLost = true;
      }
      this.#attempted.resolve();
      // Not all at once, when a database comes back.
      await pause(pauseMs * (0.5 + Math.random()), signal);
    }
    this.#attempted.resolve();
  }

  /**
   * Listens until that ends.
   * @param begun told that it does.
   * @throws why it has ended, unless this is closed.
   */
  async #session(begun: () => void): Promise<void> {
    const client = await this.#parts.newClient();
    const { signal } = this.#closed;
    const over = Promise.withResolvers<never>();
    over.promise.catch(() => {});
    client.on('error', (error) => over.reject(error));
    client.on('end', () => over.reject(new Error('the session has ended')));
    client.on('notification', ({ payload = '' }) => this.#heard(payload));
    const closed = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      this.#client = client;
      this.#busyAt = performance.now();
      begun();
      this.#attempted.resolve();
      this.#sendLater();
      await Promise.race([closed, over.promise, this.#keepAsking(client)]);
    } finally {
      this.#client = undefined;
      // Of a session that does not answer nobody waits for the end.
      const ended = client.end().catch(() => {});
      const patience = new AbortController();
      await Promise.race([ended, pause(LAST_WORDS_MS, patience.signal)]);
      patience.abort();
    }
  }

  /** @throws once a quiet session does not answer. */
  async #keepAsking(client: Client): Promise<never> {
    for (;;) {
      await pause(QUIET_MS, this.#closed.signal);
      if (this.#closed.signal.aborted || this.#client !== client) return new Promise<never>(() => {});
      if (performance.now() - this.#busyAt < QUIET_MS) continue;
      await answered(client.query('SELECT 1'));
      this.#busyAt = performance.now();
    }
  }

  #heard(payload: string): void {
    this.#busyAt = performance.now();
    const { from, notices } = decodeNotices(payload) ?? { from: this.#from, notices: [] };
    if (from === this.#from) return;
    for (const notice of notices) this.#listeners.tell(notice, 'elsewhere');
  }

  #sendLater(): void {
    if (this.#client === undefined || this.#sending !== undefined || this.#closed.signal.aborted) return;
    const { due } = this.#outbox;
    if (due === undefined) return;
    clearTimeout(this.#timer);
    const now = performance.now();
    const at = Math.max(due, this.#toldAt + TOGETHER_MS);
    this.#timer = setTimeout(() => void this.#send(), Math.max(0, at - now)).unref();
  }

  async #send(): Promise<void> {
    const client = this.#client;
    const now = performance.now();
    const notices = this.#outbox.take(now);
    if (notices.length === 0) return this.#sendLater();
    if (client === undefined) return this.#outbox.giveBack(notices, now);
    this.#toldAt = now;
    const tell = 'SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload';
    const sending = answered(client.query(tell, [CHANNEL, encodeNotices(this.#from, notices)])).then(
      () => {
        this.#busyAt = performance.now();
      },
      // The session is lost, and what was not told is told by the next one.
      () => this.#outbox.giveBack(notices, performance.now()),
    );
    this.#sending = sending;
    await sending;
    this.#sending = undefined;
    this.#sendLater();
  }
}

/** @throws what it came to, or that nothing came. */
async function answered(query: Promise<unknown>): Promise<void> {
  const patience = new AbortController();
  try {
    const late = pause(ANSWER_MS, patience.signal).then(() => {
      throw new Error(`the database has not answered within ${ANSWER_MS / 1_000} s`);
    });
    late.catch(() => {});
    query.catch(() => {});
    await Promise.race([query, late]);
  } finally {
    patience.abort();
  }
}

/** Resolves after the time, or when the signal is aborted. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => {});
