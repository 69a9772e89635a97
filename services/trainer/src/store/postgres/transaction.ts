/** Transactions of the store on a session of PostgreSQL. */

import type { ClientBase, QueryConfig } from 'pg';
import type { Query, Row, Steps, Value } from '../sql/query.ts';

/** The database, or the way there, and not a refusal of ours: `cause` is what it said. */
export class DatabaseFailure extends Error {
  override readonly name = 'DatabaseFailure';

  constructor(cause: unknown) {
    super('the database failed', { cause });
  }
}

/** A query's answer, later: an error waits until somebody asks. */
type Answer = Promise<{ readonly rows: Row[]; readonly command: string } | { readonly error: unknown }>;

/**
 * One transaction. Queries are sent without waiting for the answers before them, but for those whose rows are asked for: the
 * database takes them in order, and refuses all after the first that fails.
 */
export class Transaction {
  readonly #client: ClientBase;
  /** Of queries that nobody waits for, in their order. */
  #unanswered: Answer[] = [];
  readonly #locks = new Set<string>();
  readonly #isOne: boolean;

  /** @param begin `BEGIN`, with what it is to be; empty for what is one query, a transaction by itself. */
  constructor(client: ClientBase, begin: string) {
    this.#client = client;
    this.#isOne = begin === '';
    if (!this.#isOne) void this.#send(begin);
  }

  /** What the steps come to. @throws DatabaseFailure, or what the steps throw. */
  async run<T>(steps: Steps<T>): Promise<T> {
    let next = steps.next();
    while (next.done !== true) next = steps.next(await this.#ask(next.value));
    return next.value;
  }

  /** @throws DatabaseFailure */
  async commit(): Promise<void> {
    if (this.#isOne) return;
    const answer = this.#send('COMMIT');
    await this.#settle();
    const ended = await answer;
    // A transaction that has failed is rolled back without another word.
    if ('command' in ended && ended.command !== 'COMMIT') {
      throw new DatabaseFailure(new Error('the database did not commit'));
    }
  }

  /** @throws DatabaseFailure */
  async rollBack(): Promise<void> {
    if (this.#isOne) return;
    const answer = this.#send('ROLLBACK');
    this.#unanswered = [answer];
    await this.#settle();
  }

  async #ask(query: Query): Promise<Row[]> {
    const { sql: asked, values, kind, locking } = query;
    const sql = locking === undefined ? asked : `${asked} ${locking}`;
    if (kind === 'lock') {
      const key = `${sql} ${values.join(' ')}`;
      if (!this.#locks.has(key)) void this.#send(statementOf(sql, values));
      this.#locks.add(key);
      return [];
    }
    const answer = this.#send(statementOf(sql, values));
    if (kind === 'change') return [];
    await this.#settle();
    const answered = await answer;
    return 'rows' in answered ? answered.rows : [];
  }

  #send(query: string | QueryConfig): Answer {
    const answer: Answer = this.#client.query(query).then(
      ({ rows, command }) => ({ rows: rows as Row[], command }),
      (error: unknown) => ({ error }),
    );
    this.#unanswered.push(answer);
    return answer;
  }

  /** @throws the first error of what was sent so far: those after it follow from it. */
  async #settle(): Promise<void> {
    const sent = this.#unanswered;
    this.#unanswered = [];
    for (const answer of sent) {
      const settled = await answer;
      if ('error' in settled) throw new DatabaseFailure(settled.error);
    }
  }
}

const NAMES = new Map<string, { readonly name: string; readonly text: string }>();

/** As PostgreSQL takes it, prepared once for each session: a fixed number of texts is all that there are. */
export function statementOf(sql: string, values: readonly Value[]): QueryConfig {
  let known = NAMES.get(sql);
  if (known === undefined) {
    let place = 0;
    const text = sql.replaceAll('?', () => {
      place += 1;
      return `$${place}`;
    });
    known = { name: `glocal_${NAMES.size}`, text };
    NAMES.set(sql, known);
  }
  return { ...known, values: values as Value[] };
}
