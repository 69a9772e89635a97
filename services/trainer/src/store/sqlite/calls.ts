/** How calls reach the SQLite engine, in this thread or in another: many at a time, answered together. */

import { NotFoundError, StateError } from '../../resource/errors.ts';
import * as errors from '../errors.ts';
import { isWrite, type Method } from '../sql/methods.ts';
import type { SqliteEngine } from './engine.ts';
import type { Outcome } from './transactions.ts';

/** Writes of one transaction, so that others do not wait long for it. */
const MAX_TOGETHER = 32;

/** A method to call, or the engine's probe, in a form that can be sent to another thread. */
export interface Call {
  readonly id: number;
  readonly method: Method | 'probe';
  readonly args: readonly unknown[];
}

/** What a call came to. */
export type Answer = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly error: EncodedError }
);

/** An error that can be sent to another thread, and is of its class again there. */
interface EncodedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/**
 * Takes what is done next out of the calls that wait: everything that is to be read, and the first of the writes. That a
 * call may overtake one that was made before is theirs to bear, as neither has been answered.
 */
export function takeTurn(waiting: Call[]): Call[] {
  const turn: Call[] = [];
  const later: Call[] = [];
  let writes = 0;
  for (const call of waiting) {
    if (changes(call)) writes += 1;
    (changes(call) && writes > MAX_TOGETHER ? later : turn).push(call);
  }
  waiting.splice(0, Number.POSITIVE_INFINITY, ...later);
  return turn;
}

/** Answers calls that came together: first what is to be read, then the writes, which are one transaction. */
export function* answerAll(engine: SqliteEngine, calls: readonly Call[]): Generator<Answer[]> {
  const reads = calls.filter((call) => !changes(call));
  if (reads.length > 0)
    yield reads.map((call) =>
      answer(
        call.id,
        attempt(() => invoke(engine, call)),
      ),
    );
  const writes = calls.filter(changes);
  if (writes.length === 0) return;
  const written = engine.commit(writes.map((call) => () => invoke(engine, call)));
  yield written.map((outcome, i) => answer((writes[i] as Call).id, outcome));
}

/** Whether it shares a transaction with others. */
const changes = ({ method }: Call): boolean => method !== 'probe' && isWrite(method);

function invoke(engine: SqliteEngine, { method, args }: Call): unknown {
  return method === 'probe' ? engine.probe() : engine.call(method, ...(args as never));
}

function attempt(read: () => unknown): Outcome {
  try {
    return { value: read() };
  } catch (error) {
    return { error };
  }
}

const answer = (id: number, outcome: Outcome): Answer =>
  'error' in outcome ? { id, error: encodeError(outcome.error) } : { id, value: outcome.value };

export function encodeError(error: unknown): EncodedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined };
  const message = error instanceof NotFoundError ? error.resource : error.message;
  return { name: error.name, message, stack: error.stack };
}

const CLASSES: Record<string, new (message: string) => Error> = { ...errors, NotFoundError, StateError };

export function decodeError({ name, message, stack }: EncodedError): Error {
  const error = new (CLASSES[name] ?? Error)(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
