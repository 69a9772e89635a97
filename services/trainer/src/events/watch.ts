/** The stream of a study's events: from a cursor on, without gap or repetition, until the study has ended. */

import { StudyState } from '@glocal/proto/glocal/v1/study';
import type { StudyEvent, TrialProgress } from '@glocal/proto/glocal/v1/study_service';
import { FieldError, NotFoundError, StoppingError } from '../resource/errors.ts';
import { quote } from '../resource/quote.ts';
import type { Store } from '../store/store.ts';
import type { EventHub } from './hub.ts';

const PAGE = 100;

/** What ends a watch before the study has ended. */
export interface WatchSignals {
  /** The watcher has gone. */
  readonly signal: AbortSignal;
  /** The server is stopping: what is stored is told, and then no more. */
  readonly stopping: AbortSignal;
}

/**
 * @throws FieldError when the cursor is not one of this study's, NotFoundError when there is no such study, StoppingError
 * when the server stops before the study has ended.
 */
export async function* watchStudy(
  store: Store,
  hub: EventHub,
  name: string,
  cursor: string,
  { signal, stopping }: WatchSignals,
): AsyncGenerator<StudyEvent> {
  let sequence = await readCursor(store, name, cursor);
  const told = new Map<string, TrialProgress>();
  while (!signal.aborted) {
    // One listener a round, registered before reading, so that nothing falls between reading and waiting.
    const round = new AbortController();
    const change = hub.nextChange(name, AbortSignal.any([signal, stopping, round.signal]));
    try {
      const study = await store.getStudy(name);
      if (study === undefined) throw new NotFoundError(name);
      // Before the events, so that the last one has been stored when it says so.
      const over = study.state !== StudyState.ACTIVE;
      const { records: events, more } = await store.listEvents(name, { after: sequence, limit: PAGE });
      for (const { sequence: next, event } of events) {
        sequence = next;
        yield event;
      }
      if (more) continue;
      if (over && events.length === 0) return;
      for (const progress of hub.progressOf(name)) {
        if (told.get(progress.trial) === progress) continue;
        told.set(progress.trial, progress);
        yield { cursor: String(sequence), time: new Date(), event: { $case: 'progress', value: progress } };
      }
      if (events.length > 0) continue;
      if (stopping.aborted) throw new StoppingError();
      await change;
    } finally {
      round.abort();
    }
  }
}

/** Sequence of the last event that was seen. */
async function readCursor(store: Store, study: string, cursor: string): Promise<number> {
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
