/** The stream of a study's events, which survives lost connections: nothing is missed, nothing comes twice. */

import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { decodeEvent, type StudyEvent } from './events.ts';
import { type ReconnectOptions, reconnecting } from './reconnect.ts';
import type { ParameterMap, Space } from './space.ts';
import type { Choices } from './space-values.ts';
import type { Transport } from './transport.ts';

/** Options of `study.watch()`. */
export interface WatchOptions extends ReconnectOptions {
  /** Cursor of the last event seen; the next one is the first that comes. @default the study's creation */
  readonly cursor?: string | undefined;
  /**
   * When more events than this wait to be read, a snapshot of the study comes in place of them; 0 for never. @default 0
   */
  readonly maxLag?: number | undefined;
}

/** A study that is watched. */
export interface Watched<P extends ParameterMap> {
  readonly name: string;
  readonly space: Space<P>;
  /** What its trials have chosen, by their names. */
  choices(): Promise<ReadonlyMap<string, Choices>>;
}

/** Events from the cursor on, until the study has ended. */
export async function* watch<P extends ParameterMap>(
  transport: Transport,
  { name, space, choices }: Watched<P>,
  { cursor = '', maxLag = 0, ...options }: WatchOptions,
): AsyncGenerator<StudyEvent<P>, void, undefined> {
  let position = cursor;
  let known: ReadonlyMap<string, Choices> = new Map();
  const { metadata } = options;
  const messages = reconnecting(
    transport,
    options,
    async function* (opening) {
      known = await choices();
      const request = { name, cursor: position, maxLag };
      yield* transport.serverStream(StudyServiceService.watchStudy, request, { metadata, ...opening });
    },
    // Progress repeats the cursor of the event before.
    (message) => message.cursor !== position,
  );
  for await (const message of messages) {
    position = message.cursor;
    const event = decodeEvent(message, space, known);
    if (event !== undefined) yield event;
  }
}
