/** A tab of the dashboard without a browser: requests as its page makes them, and the one stream that it reads. */

import type { TabMessage } from '../../dashboard/src/api.ts';

/** Requests of a page. */
export class Tab {
  readonly url: string;
  /** Sent along, as a browser does. */
  cookie = '';

  constructor(url: string) {
    this.url = url;
  }

  async request(path: string, { method = 'GET', body, headers = {} }: Asking = {}): Promise<Response> {
    return fetch(new URL(path, this.url), {
      method,
      headers: {
        ...(method !== 'GET' && { 'content-type': 'application/json' }),
        ...(this.cookie !== '' && { cookie: this.cookie }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** What a route answers. @throws Error with what it says when it refuses */
  async json<T>(path: string, asking?: Asking): Promise<T> {
    const response = await this.request(path, asking);
    const data = await response.json();
    if (!response.ok) throw new Error(`${response.status}: ${JSON.stringify(data)}`);
    return data as T;
  }

  /** Messages of the stream, with the cursors after them, until the loop is left. */
  async *messages(
    query: string,
    headers: Readonly<Record<string, string>> = {},
  ): AsyncGenerator<TabMessage & { readonly id: string }, void, undefined> {
    const controller = new AbortController();
    const response = await fetch(new URL(`/api/events?${query}`, this.url), {
      headers: { ...(this.cookie !== '' && { cookie: this.cookie }), ...headers },
      signal: controller.signal,
    });
    try {
      let text = '';
      const decoder = new TextDecoder();
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += decoder.decode(chunk, { stream: true });
        const whole = text.split('\n\n');
        text = whole.pop() ?? '';
        for (const message of whole) yield parsed(message);
      }
    } finally {
      controller.abort();
    }
  }
}

interface Asking {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

function parsed(text: string): TabMessage & { readonly id: string } {
  const field = (name: string): string =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name}: `))
      .map((line) => line.slice(name.length + 2))
      .join('\n');
  return { type: field('event'), ...JSON.parse(field('data')), id: field('id') };
}

/** The first message of the stream that is as wanted. */
export async function firstMessage<Type extends TabMessage['type']>(
  messages: AsyncIterable<TabMessage & { readonly id: string }>,
  type: Type,
  isIt: (message: Extract<TabMessage, { type: Type }>) => boolean = () => true,
): Promise<Extract<TabMessage, { type: Type }> & { readonly id: string }> {
  for await (const message of messages) {
    if (message.type !== type) continue;
    const found = message as Extract<TabMessage, { type: Type }> & { readonly id: string };
    if (isIt(found)) return found;
  }
  throw new Error(`the stream ended without ${type}`);
}
