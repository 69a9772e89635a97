/** The one stream of a tab: everything that it looks at, as server-sent events. */

import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { TabMessage } from '../api.ts';
import type { Caller } from './caller.ts';
import { faultOf } from './fault.ts';

/** Milliseconds of silence after which a beat is sent. */
const BEAT = 5_000;
/** Messages that may wait for a tab that does not read; then its stream ends, and it asks anew where it was. */
const MOST_WAITING = 2_000;

/** What a tab looks at. */
export interface Looking {
  readonly studies: boolean;
  /** Cursor after the last event seen, by the study's name; undefined where none was. */
  readonly study: ReadonlyMap<string, string | undefined>;
}

/** `?studies=1&study=studies/a&study=studies/b@42`; what `Last-Event-ID` says counts more. */
export function lookingOf(c: Context): Looking {
  const study = new Map<string, string | undefined>();
  for (const text of c.req.queries('study') ?? []) {
    const [name = '', cursor] = text.split('@');
    study.set(name, cursor || undefined);
  }
  for (const [name, cursor] of new URLSearchParams(c.req.header('last-event-id') ?? ''))
    if (study.has(name)) study.set(name, cursor);
  return { studies: c.req.query('studies') === '1', study };
}

/** Answers with the stream, until the tab closes it or the caller is not believed any more. */
export function tabStream(c: Context, caller: Caller, looking: Looking): Response {
  c.header('x-accel-buffering', 'no');
  return streamSSE(c, async (stream) => {
    const waiting: { readonly data: string; readonly event: string; readonly id: string | undefined }[] = [];
    let wake = Promise.withResolvers<void>();
    let over = false;
    const end = () => {
      over = true;
      wake.resolve();
    };
    const cursors = new URLSearchParams();
    for (const [name, cursor] of looking.study) if (cursor !== undefined) cursors.set(name, cursor);
    const send = (
      { type, ...data }: TabMessage,
      from?: { readonly name: string; readonly cursor: string },
    ) => {
      if (from !== undefined) cursors.set(from.name, from.cursor);
      const id = from === undefined ? undefined : cursors.toString();
      waiting.push({ event: type, data: JSON.stringify(data), id });
      if (waiting.length > MOST_WAITING) end();
      wake.resolve();
    };

    const ends = [
      caller.index.subscribe((change) => {
        if ('connected' in change) send({ type: 'trainer', ...change });
        else if (looking.studies) send({ type: 'studies', ...change });
      }),
      caller.driving.subscribe((study, drive) => {
        if (looking.study.has(study)) send({ type: 'drive', study, drive });
      }),
      ...[...looking.study].map(([name, cursor]) =>
        caller.feed(name).subscribe(cursor, ({ message, cursor }) => send(message, { name, cursor })),
      ),
    ];
    for (const name of looking.study.keys())
      for (const drive of caller.driving.of(name)) send({ type: 'drive', study: name, drive });
    stream.onAbort(end);
    caller.ended.addEventListener('abort', end, { once: true });
    const beat = setInterval(() => send({ type: 'beat' }), BEAT);
    send({ type: 'beat' });
    try {
      while (!over) {
        const message = waiting.shift();
        if (message !== undefined) {
          const { id, ...rest } = message;
          await stream.writeSSE(id === undefined ? rest : { ...rest, id });
          continue;
        }
        wake = Promise.withResolvers();
        await wake.promise;
      }
    } catch (error) {
      // A tab that is gone is no fault.
      if (!stream.aborted) throw new Error(faultOf(error).message, { cause: error });
    } finally {
      clearInterval(beat);
      caller.ended.removeEventListener('abort', end);
      for (const unsubscribe of ends) unsubscribe();
    }
  });
}
