/** The stream of a study's events: from a cursor on, without gap or repetition, until the study has ended. */

import type { TrialProgress, WatchStudyRequest } from '@glocal/proto/glocal/v1/study_service';
import type { Logger } from 'pino';
import { FieldError, NotFoundError, StoppingError } from '../resource/errors.ts';
import { studyOf } from '../resource/names.ts';
import { quote } from '../resource/quote.ts';
import { studyHasEnded } from '../resource/states.ts';
import type { Store } from '../store/store.ts';
import type { EventLog } from './event-log.ts';
import type { EventHub } from './hub.ts';
import { readSnapshot } from './snapshot.ts';

/** What watches share. */
export interface WatchParts {
  readonly store: Pick<Store, 'getStudy' | 'getSnapshot' | 'listEvents'>;
  readonly hub: EventHub;
  readonly events: EventLog;
  readonly log: Pick<Logger, 'error'>;
}

/** What ends a watch before the study has ended. */
export interface WatchSignals {
  /** The watcher has gone. */
  readonly signal: AbortSignal;
  /** The server is stopping: what is stored is told, and then no more. */
  readonly stopping: AbortSignal;
}

/**
 * Encoded StudyEvents. A watcher that is slow holds one of them: the next one is read when it is asked for, or a snapshot in
 * place of more than `maxLag` of them.
 * @throws FieldError when the cursor is not one of this study's, NotFoundError when there is no such study or it is deleted,
 * StoppingError when the server stops before the study has ended.
 */
export async function* watchStudy(
  { store, hub, events, log }: WatchParts,
  { name, cursor, maxLag }: WatchStudyRequest,
  { signal, stopping }: WatchSignals,
): AsyncGenerator<Buffer, void, undefined> {
  if (maxLag < 0) throw FieldError.of('MAX_LAG', 'max_lag', `${maxLag} is negative`);
  // Before the first read, so that nothing falls between reading and waiting.
  using subscription = hub.subscribe(name);
  const study = await store.getStudy(name);
  if (study === undefined) throw new NotFoundError(name);
  let sequence = await readCursor(store, name, cursor);
  const stop = AbortSignal.any([signal, stopping]);
  let over = studyHasEnded(study);
  while (!signal.aborted) {
    if (subscription.takeStored()) {
      for (;;) {
        const missed = maxLag === 0 ? 0 : (await events.last(subscription.feed)) - sequence;
        const event =
          missed > maxLag
            ? await readSnapshot(store, name, sequence)
            : await events.next(subscription.feed, sequence);
        if (event === undefined || signal.aborted) break;
        ({ sequence } = event);
        over = event.ended ?? over;
        yield event.bytes;
      }
    }
    if (subscription.feed.removed) throw new NotFoundError(name);
    if (over) return;
    for (const progress of subscription.takeProgress()) {
      const bytes = encodeProgress(progress, sequence, { events, log });
      if (bytes !== undefined) yield bytes;
    }
    if (stopping.aborted) throw new StoppingError();
    await subscription.news(stop);
  }
}

/** A report that does not fit the contract is logged and left out: the watch is about more than progress. */
function encodeProgress(
  value: TrialProgress,
  sequence: number,
  { events, log }: Pick<WatchParts, 'events' | 'log'>,
): Buffer | undefined {
  try {
    return events.progress(value, sequence);
  } catch (error) {
    log.error({ err: error, study: studyOf(value.trial), trial: value.trial }, 'progress cannot be encoded');
    return undefined;
  }
}

/** Sequence of the last event that was seen. */
async function readCursor(store: Pick<Store, 'listEvents'>, study: string, cursor: string): Promise<number> {
  const wrong = () => FieldError.of('CURSOR', 'cursor', `${quote(cursor)} is not a cursor of this study`);
  if (!/^\d{0,15}$/.test(cursor)) throw wrong();
  const sequence = Number(cursor);
  // Nothing would ever be told after a cursor that no event has had.
  if (sequence > 0) {
    const { records } = await store.listEvents(study, { after: sequence - 1, limit: 1 });
    if (records.length === 0) throw wrong();
  }
  return sequence;
}
