/** Toxiproxy, which stands between two that talk to each other and disturbs what they say. Needs Go. */

import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { vi } from 'vitest';
import { goInstall } from './go.ts';
import { deadAddress } from './ports.ts';

const PROGRAM = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0';

/** What a proxy does to the bytes of one direction. */
export interface Toxic {
  readonly type: string;
  readonly attributes: Readonly<Record<string, number>>;
}

export class Toxiproxy implements AsyncDisposable {
  /** Where it takes orders. */
  readonly #api: string;
  readonly #stop: () => Promise<void>;

  private constructor(api: string, stop: () => Promise<void>) {
    this.#api = api;
    this.#stop = stop;
  }

  /** @param folder where the program is put. */
  static async start(folder: string): Promise<Toxiproxy> {
    const program = await goInstall(PROGRAM, folder);
    const api = await deadAddress();
    const [host = '', port = ''] = api.split(':');
    const server = execa(program, ['-host', host, '-port', port], { reject: false });
    const proxies = new Toxiproxy(api, async () => {
      server.kill();
      await server;
    });
    await vi.waitFor(() => proxies.#ask('GET', '/version'), { timeout: 20_000 });
    return proxies;
  }

  /** A new proxy. @returns its address. */
  async proxy(name: string, upstream: string): Promise<string> {
    const listen = await deadAddress();
    await this.#ask('POST', '/proxies', { name, listen, upstream, enabled: true });
    return listen;
  }

  /** Disturbs a proxy for so many milliseconds, in both directions. */
  async disturb(name: string, toxic: Toxic, milliseconds: number): Promise<void> {
    const streams = ['upstream', 'downstream'];
    for (const stream of streams)
      await this.#ask('POST', `/proxies/${name}/toxics`, { ...toxic, name: stream, stream });
    await sleep(milliseconds);
    for (const stream of streams) await this.#ask('DELETE', `/proxies/${name}/toxics/${stream}`);
  }

  async #ask(method: string, path: string, body?: unknown): Promise<void> {
    const response = await fetch(`http://${this.#api}${path}`, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`toxiproxy: ${response.status} ${await response.text()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
