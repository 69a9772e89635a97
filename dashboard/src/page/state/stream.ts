/**
 * The one stream of this tab. Pages say what they look at; the stream is made anew with all of it, and again whenever it is lost or has
 * been silent, each time from the cursors that were last seen.
 */

import { signal } from '@preact/signals';
import type { TabMessage } from '../../api.ts';

/** Whether this page hears the dashboard, and the dashboard the trainer. */
export interface Connection {
  readonly dashboard: 'opening' | 'open' | 'lost';
  readonly trainer: boolean;
  readonly message: string;
}

export const connection = signal<Connection>({ dashboard: 'opening', trainer: true, message: '' });

type Listener = (message: TabMessage) => void;

/** Milliseconds without a beat after which a connection is taken for dead. */
const SILENCE = 15_000;
const TYPES: readonly TabMessage['type'][] = [
  ...([
    'trainer',
    'studies',
    'study',
    'trial',
    'step',
    'progress',
    'snapshot',
    'gone',
    'drive',
    'beat',
  ] as const),
];

/** What each page looks at: studies by name, or the list of them. */
const looking = new Map<symbol, { readonly what: readonly string[]; readonly listener: Listener }>();
const cursors = new Map<string, string>();
/** Told when a stream stands again: what was missed where the cursor did not help is asked for. */
const reopened = new Set<() => void>();

let source: EventSource | undefined;
/** What the stream is about; undefined without one. */
let url: string | undefined;
let heardAt = 0;
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let enabled = false;

/** The list of studies, as something to look at. */
export const ALL_STUDIES = '*';

/**
 * Looks at studies from now on.
 * @returns ends it
 */
export function look(what: readonly string[], listener: Listener, onReopen?: () => void): () => void {
  const key = Symbol('looking');
  looking.set(key, { what, listener });
  if (onReopen !== undefined) reopened.add(onReopen);
  schedule();
  return () => {
    looking.delete(key);
    if (onReopen !== undefined) reopened.delete(onReopen);
    schedule();
  };
}

/** Begins to listen, once the page may. */
export function listen(): void {
  enabled = true;
  schedule();
}

/** Stops, until `listen` is called again. */
export function stopListening(): void {
  enabled = false;
  source?.close();
  source = undefined;
  url = undefined;
}

// Several pages that change in one go make one new stream.
let scheduled = false;
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    if (enabled && wanted() !== url) open();
  });
}

/** What is looked at, without cursors: with another the stream is made anew. */
function wanted(): string {
  const what = new Set([...looking.values()].flatMap((one) => one.what));
  return [...what].sort().join(' ');
}

function open(): void {
  source?.close();
  clearTimeout(timer);
  const what = wanted();
  const query = new URLSearchParams();
  for (const name of what.split(' ').filter((one) => one !== '')) {
    if (name === ALL_STUDIES) query.set('studies', '1');
    else query.append('study', cursors.has(name) ? `${name}@${cursors.get(name)}` : name);
  }
  const next = new EventSource(`/api/events?${query}`);
  source = next;
  url = what;
  heardAt = Date.now();
  next.onopen = () => {
    const wasLost = failures > 0;
    failures = 0;
    heardAt = Date.now();
    connection.value = { ...connection.peek(), dashboard: 'open' };
    if (wasLost) for (const tell of reopened) tell();
  };
  next.onerror = () => lost(next);
  for (const type of TYPES) {
    next.addEventListener(type, (event) => hear(next, type, event as MessageEvent<string>));
  }
}

function hear(from: EventSource, type: TabMessage['type'], event: MessageEvent<string>): void {
  if (from !== source) return;
  heardAt = Date.now();
  for (const [name, cursor] of new URLSearchParams(event.lastEventId)) cursors.set(name, cursor);
  const message = { type, ...JSON.parse(event.data) } as TabMessage;
  if (message.type === 'beat') return;
  if (message.type === 'trainer') {
    const { connected, message: text = '' } = message;
    const wasAway = !connection.peek().trainer;
    connection.value = { dashboard: 'open', trainer: connected, message: text };
    if (connected && wasAway) for (const tell of reopened) tell();
    return;
  }
  for (const { listener } of looking.values()) listener(message);
}

function lost(from: EventSource): void {
  if (from !== source) return;
  from.close();
  source = undefined;
  failures += 1;
  if (failures > 1) connection.value = { ...connection.peek(), dashboard: 'lost' };
  clearTimeout(timer);
  timer = setTimeout(() => enabled && open(), Math.min(5_000, 250 * 2 ** Math.min(failures, 5)));
}

setInterval(() => {
  if (source !== undefined && Date.now() - heardAt > SILENCE) lost(source);
}, 2_000);

/** A study's events are asked for from its beginning again. */
export function forgetCursor(name: string): void {
  cursors.delete(name);
}
