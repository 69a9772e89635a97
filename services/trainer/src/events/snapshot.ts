/** A study as it is now, in place of the events that a slow watcher has not read. */

import { Study } from '@glocal/proto/glocal/v1/study';
import { StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { MAX_MESSAGE_BYTES } from '../resource/message-size.ts';
import { studyHasEnded } from '../resource/states.ts';
import type { Store } from '../store/store.ts';
import type { EncodedEvent } from './event-log.ts';

const MAX_TRIALS = 1_000;
/** Of a message, for what is neither the study nor a trial: names and lengths of fields. */
const ENVELOPE_BYTES = 16 * 1024;

/**
 * An event with a Snapshot; undefined when there is no such study any more.
 * @param after sequence of the last event that the watcher has read.
 */
export async function readSnapshot(
  store: Pick<Store, 'getSnapshot'>,
  name: string,
  after: number,
): Promise<EncodedEvent | undefined> {
  const page = { limit: MAX_TRIALS, maxBytes: MAX_MESSAGE_BYTES };
  const snapshot = await store.getSnapshot(name, page);
  if (snapshot === undefined) return undefined;
  const { study, trials, sequence } = snapshot;
  const encode = (count: number) =>
    StudyEvent.encode({
      cursor: String(sequence),
      time: new Date(),
      event: {
        $case: 'snapshot',
        value: { study, trials: trials.slice(0, count), missedEvents: sequence - after },
      },
    }).finish();
  let bytes = encode(trials.length);
  if (bytes.length > MAX_MESSAGE_BYTES) {
    // As many as fit beside the study, by what they take on the average.
    const each = bytes.length / Math.max(trials.length, 1);
    const room = MAX_MESSAGE_BYTES - Study.encode(study).finish().length - ENVELOPE_BYTES;
    bytes = encode(Math.max(0, Math.floor(room / each)));
    if (bytes.length > MAX_MESSAGE_BYTES) bytes = encode(0);
  }
  return { sequence, bytes: Buffer.from(bytes), ended: studyHasEnded(study) };
}
