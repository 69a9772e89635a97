/** The stream of a study's events: from a cursor on, without gap or repetition, until the study has ended. */

import { type Study, StudyState } from '@glocal/proto/glocal/v1/study';
import type { StudyEvent, TrialProgress } from '@glocal/proto/glocal/v1/study_service';
import { FieldError, NotFoundError } from '../resource/errors.ts';
import { hasEnded } from '../resource/states.ts';
import type { Store } from '../store/store.ts';
import type { EventHub } from './hub.ts';

const PAGE = 100;

/** @throws FieldError when the cursor is not one of this study's, NotFoundError when there is no such study. */
export async function* watchStudy(
  store: Store,
  hub: EventHub,
  name: string,
  cursor: string,
  signal: AbortSignal,
): AsyncGenerator<StudyEvent> {
  if (!/^\d{0,15}$/.test(cursor)) {
    throw FieldError.of('CURSOR', 'cursor', `"${cursor}" is not a cursor of this study`);
  }
  let sequence = Number(cursor);
  const told = new Map<string, TrialProgress>();
  while (!signal.aborted) {
    // One listener a round, registered before reading, so that nothing falls between reading and waiting.
    const round = new AbortController();
    const change = hub.nextChange(name, AbortSignal.any([signal, round.signal]));
    try {
      const study = await store.getStudy(name);
      if (study === undefined) throw new NotFoundError(name);
      // Before the events, so that the last one has been stored when it says so.
      const over = await isOver(store, study);
      const events = await store.listEvents(name, sequence, PAGE);
      for (const { sequence: next, event } of events) {
        sequence = next;
        yield event;
      }
      if (events.length === PAGE) continue;
      if (over && events.length === 0) return;
      for (const progress of hub.progressOf(name)) {
        if (told.get(progress.trial) === progress) continue;
        told.set(progress.trial, progress);
        yield { cursor: String(sequence), time: new Date(), event: { $case: 'progress', value: progress } };
      }
      if (events.length > 0) continue;
      await change;
    } finally {
      round.abort();
    }
  }
}

/** A cancelled study is over when its trials have ended, too. */
async function isOver(store: Store, study: Study): Promise<boolean> {
  return study.state !== StudyState.ACTIVE && (await store.listTrials(study.name)).every(hasEnded);
}
