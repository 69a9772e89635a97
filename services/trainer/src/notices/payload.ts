/** Notices as text that a database passes on, which takes so much of it at a time. */

import { z } from 'zod';
import type { Notice } from './notice.ts';

/** PostgreSQL takes less than 8,000 bytes. */
const MAX_BYTES = 7_900;

const study = z.string();
const trial = z.string();
const NOTICE = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['changed', 'removed', 'work', 'halted']), study }),
  z.object({
    kind: z.literal('progressed'),
    progress: z.object({ trial, stepsDone: z.int32(), steps: z.int32() }),
  }),
  z.object({ kind: z.enum(['forgotten', 'drive']), trial }),
  z.object({ kind: z.literal('seat'), trial, number: z.int() }),
  z.object({ kind: z.literal('everything') }),
]);
const PAYLOAD = z.object({ from: z.string(), notices: z.array(z.unknown()) });

/** What came, and from whom. */
export interface Received {
  readonly from: string;
  readonly notices: readonly Notice[];
}

/** As few texts as have room for all of them. @param from names who tells. */
export function encodeNotices(from: string, notices: readonly Notice[]): string[] {
  const payloads: string[] = [];
  const frame = Buffer.byteLength(textOf(from, []));
  let texts: string[] = [];
  let bytes = frame;
  for (const text of notices.map((notice) => JSON.stringify(notice))) {
    const more = Buffer.byteLength(text) + 1;
    if (bytes + more > MAX_BYTES && texts.length > 0) {
      payloads.push(textOf(from, texts));
      texts = [];
      bytes = frame;
    }
    texts.push(text);
    bytes += more;
  }
  if (texts.length > 0) payloads.push(textOf(from, texts));
  return payloads;
}

const textOf = (from: string, notices: readonly string[]): string =>
  `{"from":${JSON.stringify(from)},"notices":[${notices.join(',')}]}`;

/** Undefined for a text of somebody else; notices that only another version knows are left out. */
export function decodeNotices(text: string): Received | undefined {
  const { data } = PAYLOAD.safeParse(parsed(text));
  if (data === undefined) return undefined;
  const notices = data.notices.flatMap((given) => NOTICE.safeParse(given).data ?? []);
  return { from: data.from, notices };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
