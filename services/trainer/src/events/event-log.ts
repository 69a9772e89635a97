/** Stored events as they are sent: read and encoded once for all watchers, and kept for a while. */

import { StudyEvent, type TrialProgress } from '@glocal/proto/glocal/v1/study_service';
import { MAX_MESSAGE_BYTES } from '../resource/message-size.ts';
import { withoutVectors } from '../resource/outer-step.ts';
import { studyHasEnded } from '../resource/states.ts';
import type { Store, StoredEvent } from '../store/store.ts';
import { ByteCache } from './byte-cache.ts';
import type { Feed } from './hub.ts';

/** Events that are read at a time, and their bytes: what one watcher needs before another may want something else. */
const PAGE = { limit: 100, maxBytes: 256 * 1024 };

/** A stored event as a message. */
export interface EncodedEvent {
  readonly sequence: number;
  /** A StudyEvent. */
  readonly bytes: Buffer;
  /** Whether the study has ended with it; undefined when it tells of something else. */
  readonly ended: boolean | undefined;
}

/** The end of a study's events, as long as nothing more is stored. */
interface Tip {
  readonly version: number;
  readonly sequence: number;
}

/** The last event of a study, being read or known, as long as nothing more is stored. */
interface Last {
  readonly version: number;
  readonly sequence: Promise<number>;
}

export class EventLog {
  readonly #store: Pick<Store, 'listEvents' | 'lastSequence'>;
  readonly #cache: ByteCache<EncodedEvent>;
  readonly #tips = new WeakMap<Feed, Tip>();
  readonly #lasts = new WeakMap<Feed, Last>();
  /** Reads under way: who wants the same waits for the same. */
  readonly #reading = new Map<string, Promise<EncodedEvent | undefined>>();

  /** As it was last encoded for somebody. */
  readonly #progress = new WeakMap<TrialProgress, { readonly sequence: number; readonly bytes: Buffer }>();

  /** @param cacheBytes of encoded events that are kept. */
  constructor(store: Pick<Store, 'listEvents' | 'lastSequence'>, cacheBytes: number) {
    this.#store = store;
    this.#cache = new ByteCache(cacheBytes);
  }

  /** The first event after a sequence; undefined when there is none yet. */
  async next(feed: Feed, after: number): Promise<EncodedEvent | undefined> {
    const cached = this.#cache.get(keyOf(feed, after));
    if (cached !== undefined) return cached;
    const tip = this.#tips.get(feed);
    if (tip?.version === feed.version && tip.sequence === after) return undefined;
    // What was read before the last change does not tell what came with it.
    const reading = `${keyOf(feed, after)} ${feed.version}`;
    let found = this.#reading.get(reading);
    if (found === undefined) {
      found = this.#read(feed, after).finally(() => this.#reading.delete(reading));
      this.#reading.set(reading, found);
    }
    return found;
  }

  /** Sequence of the last event: read once for all who ask before more is stored. */
  last(feed: Feed): Promise<number> {
    const known = this.#lasts.get(feed);
    if (known?.version === feed.version) return known.sequence;
    const last = { version: feed.version, sequence: this.#store.lastSequence(feed.study) };
    this.#lasts.set(feed, last);
    last.sequence.catch(() => this.#lasts.get(feed) === last && this.#lasts.delete(feed));
    return last.sequence;
  }

  /**
   * A report of progress as a message, encoded once for all who have read as far.
   * @throws RangeError when a number does not fit the contract.
   */
  progress(report: TrialProgress, sequence: number): Buffer {
    const known = this.#progress.get(report);
    if (known?.sequence === sequence) return known.bytes;
    const event = { $case: 'progress', value: report } as const;
    const bytes = bytesOf({ cursor: String(sequence), time: new Date(), event });
    this.#progress.set(report, { sequence, bytes });
    return bytes;
  }

  async #read(feed: Feed, after: number): Promise<EncodedEvent | undefined> {
    const { version } = feed;
    const { records, more } = await this.#store.listEvents(feed.study, { after, ...PAGE });
    const events = records.map(encode);
    if (!more) this.#tips.set(feed, { version, sequence: events.at(-1)?.sequence ?? after });
    // The last one first, so that the next one to be asked for is the last one to go.
    for (const [i, event] of [...events.entries()].reverse()) {
      this.#cache.set(keyOf(feed, events[i - 1]?.sequence ?? after), event);
    }
    return events[0];
  }
}

const keyOf = ({ study }: Feed, after: number): string => `${study} ${after}`;

/** An event that would pass the message limit comes without its vectors: else nobody would get beyond it. */
function encode({ sequence, event: stored }: StoredEvent): EncodedEvent {
  const { event } = stored;
  const ended = event?.$case === 'study' ? studyHasEnded(event.value) : undefined;
  let bytes = bytesOf(stored);
  if (bytes.length > MAX_MESSAGE_BYTES && event?.$case === 'outerStep') {
    bytes = bytesOf({ ...stored, event: { $case: 'outerStep', value: withoutVectors(event.value) } });
  }
  return { sequence, bytes, ended };
}

const bytesOf = (event: StudyEvent): Buffer => {
  const { buffer, byteOffset, byteLength } = StudyEvent.encode(event).finish();
  return Buffer.from(buffer, byteOffset, byteLength);
};
