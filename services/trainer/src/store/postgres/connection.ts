/** Makes the store's transactions in a PostgreSQL database, which other servers use, too. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { StoreUnavailableError } from '../errors.ts';
import { createStudies, type EncodedNewStudy } from '../sql/creations.ts';
import { lockLimits } from '../sql/limits.ts';
import {
  type Arguments,
  type Connection,
  isWrite,
  type Method,
  type Result,
  stepsOf,
} from '../sql/methods.ts';
import { change, RaceLostError, type Steps } from '../sql/query.ts';
import { Creations, type Outcome } from './creations.ts';
import { deleteSome, deleteStudy } from './deletions.ts';
import { isConflict, unavailable } from './errors.ts';
import { ADD_UP_TALLIES } from './migrations.ts';
import { openPool, type SessionOptions } from './session.ts';
import { DatabaseFailure, Transaction } from './transaction.ts';

/** Of one query each, which sees one moment in any case. */
const SINGLE: ReadonlySet<Method> = new Set([
  'getDeleted',
  'listPausedTrials',
  'getStudy',
  'listStudies',
  'listTrials',
  'lastSequence',
  'lastSequences',
  'getTrial',
  'getProposal',
  'getDriving',
  'listLostTrials',
  'getOuterStep',
  'listOuterStepEpochs',
  'getArtifact',
  'listArtifacts',
  'artifactBytes',
  'deletedArtifactOwner',
]);
const ONE_MOMENT = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/** A transaction that was in another one's way is made again so often. */
const ATTEMPTS = 6;
/** After the first attempt, at most; twice as long after each. */
const FIRST_PAUSE_MS = 10;

/** Bytes that a probe writes: about what an outer step with its window takes. */
const PROBE_BYTES = 256 * 1024;

export class PostgresConnection implements Connection {
  readonly #options: SessionOptions;
  readonly #pool: Pool;
  readonly #creations: Creations<EncodedNewStudy>;
  readonly #calls = new Set<Promise<unknown>>();
  /** There may be rows of studies that were deleted. */
  #uncollected = false;
  #collecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: SessionOptions, pool: Pool) {
    this.#options = options;
    this.#pool = pool;
    this.#creations = new Creations((requests) => this.#create(requests));
    // Whoever uses a session hears of its end, and who needs one next why there can be no other.
    pool.on('error', () => {});
    pool.on('connect', (client) => client.on('error', () => {}));
  }

  /** @throws StoreError for a file that the options name and that cannot be read. */
  static async open(options: SessionOptions): Promise<PostgresConnection> {
    const connection = new PostgresConnection(options, await openPool(options));
    // What another process was about to: mostly nothing, and then no session more than others need.
    if (await connection.#collectSome()) connection.#collect();
    return connection;
  }

  call<M extends Method>(method: M, ...args: Arguments<M>): Promise<Result<M>> {
    return this.#answer(() => this.#make(method, args)) as Promise<Result<M>>;
  }

  async probe(): Promise<void> {
    await this.#answer(() => this.#transaction('BEGIN', (transaction) => transaction.run(probing())));
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled([...this.#calls, this.#collecting]).then(() => this.#pool.end());
    return this.#closing;
  }

  #make(method: Method, args: readonly unknown[]): Promise<unknown> {
    if (method === 'createStudy') return this.#creations.add(args[0] as EncodedNewStudy);
    if (method === 'deleteStudy') return this.#delete(args[0] as string);
    if (!isWrite(method)) return this.#transaction(beginningOf(method), (t) => t.run(stepsOf(method, args)));
    return repeated(() =>
      this.#transaction('BEGIN', (transaction) => transaction.run(stepsOf(method, args))),
    );
  }

  /** @throws StoreUnavailableError, the steps' own refusal, or what the database said of a statement. */
  async #answer<T>(make: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new StoreUnavailableError('the store is closed');
    const call = make();
    this.#calls.add(call);
    try {
      return await call;
    } catch (error) {
      throw this.#asStoreError(error);
    } finally {
      this.#calls.delete(call);
    }
  }

  /** What nobody can see any more is deleted meanwhile. */
  async #delete(name: string): Promise<void> {
    await repeated(() => this.#transaction('BEGIN', (transaction) => transaction.run(deleteStudy(name))));
    this.#collect();
  }

  /** Deletes all that belongs to nobody, in the background, a little at a time. */
  #collect(): void {
    this.#uncollected = true;
    this.#collecting ??= this.#collectAll().finally(() => {
      this.#collecting = undefined;
    });
  }

  async #collectAll(): Promise<void> {
    while (this.#uncollected) {
      this.#uncollected = false;
      if (await this.#collectSome()) this.#uncollected = true;
    }
  }

  /** Whether there may be more. When it fails, whoever deletes next, or starts next, goes on. */
  async #collectSome(): Promise<boolean> {
    if (this.#closing !== undefined) return false;
    return this.#transaction('BEGIN', (transaction) => transaction.run(deleteSome())).catch(() => false);
  }

  /** In one transaction; when one of several cannot be made with the others, each is made on its own. */
  async #create(requests: readonly EncodedNewStudy[]): Promise<readonly Outcome[]> {
    try {
      return await repeated(() =>
        this.#transaction('BEGIN', async (transaction) => {
          await transaction.run(preparing());
          return transaction.run(createStudies(requests));
        }),
      );
    } catch (error) {
      const away = error instanceof DatabaseFailure && unavailable(error.cause, this.#options.database);
      if (requests.length === 1 || away) return requests.map(() => ({ error }));
      const outcomes: Outcome[] = [];
      for (const request of requests) outcomes.push(...(await this.#create([request])));
      return outcomes;
    }
  }

  /** @param begin `BEGIN`, with what it is to be; empty for what is one query. */
  async #transaction<T>(begin: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#session();
    let failed = true;
    try {
      const transaction = new Transaction(client, begin);
      try {
        const result = await work(transaction);
        await transaction.commit();
        failed = false;
        return result;
      } catch (error) {
        if (!(error instanceof DatabaseFailure)) {
          await transaction.rollBack();
          failed = false;
        }
        throw error;
      }
    } finally {
      // A session that has failed is not used again: its transaction ends with it.
      client.release(failed);
    }
  }

  /** @throws DatabaseFailure */
  async #session(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw new DatabaseFailure(error);
    }
  }

  #asStoreError(error: unknown): unknown {
    if (!(error instanceof DatabaseFailure)) return error;
    const why = unavailable(error.cause, this.#options.database);
    return why === undefined ? error.cause : new StoreUnavailableError(why, { cause: error.cause });
  }
}

const beginningOf = (method: Method): string => (SINGLE.has(method) ? '' : ONE_MOMENT);

/** Repeats a transaction that was in another one's way. */
async function repeated<T>(make: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await make();
    } catch (error) {
      if (attempt === ATTEMPTS || !isLostRace(error)) throw error;
      await sleep(Math.random() * FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }
}

const isLostRace = (error: unknown): boolean =>
  error instanceof RaceLostError || (error instanceof DatabaseFailure && isConflict(error.cause));

/** What comes before creations. */
function* preparing(): Steps<void> {
  yield lockLimits();
  yield change(ADD_UP_TALLIES);
}

function* probing(): Steps<void> {
  yield change('INSERT INTO probes (filler) VALUES (?)', Buffer.alloc(PROBE_BYTES, 1));
  yield change('DELETE FROM probes');
}
