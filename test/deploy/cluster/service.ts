/** What a Service leads to: the pods that are ready and have its labels, by names and by an address of its own. */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Manifest, selects } from '../objects.ts';
import type { Network } from './network.ts';
import type { Pod } from './pod.ts';

interface Port {
  readonly port: number;
  readonly targetPort?: number | string;
}

export class Service {
  readonly name: string;
  readonly #manifest: Manifest;
  readonly #network: Network;
  readonly #names: readonly string[];
  readonly #numbered: (pod: Pod, port: string) => number;
  /** Connections to its own address, each led to a pod as it comes. */
  readonly #open = new Set<Socket>();
  readonly #servers: Server[] = [];
  /** Its own; undefined for one without. */
  address: string | undefined;
  #endpoints: readonly Pod[] = [];
  #next = 0;

  /** @param numbered the number of a port that a pod has a name for. */
  constructor(
    manifest: Manifest,
    namespace: string,
    network: Network,
    numbered: (pod: Pod, port: string) => number,
  ) {
    const { name } = manifest.metadata;
    this.name = name;
    this.#manifest = manifest;
    this.#network = network;
    this.#numbered = numbered;
    this.#names = ['', `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.cluster.local`].map(
      (end) => name + end,
    );
  }

  get #headless(): boolean {
    return this.#manifest.spec.clusterIP === 'None';
  }

  /** Gives it an address of its own, unless it is to have none. */
  async open(): Promise<void> {
    if (this.#headless) return;
    const address = await this.#network.serviceAddress();
    this.address = address;
    for (const name of this.#names) this.#network.name(name, [address]);
    for (const port of this.#manifest.spec.ports as Port[]) {
      const server = createServer((socket) => this.#lead(socket, port));
      server.listen(port.port, address);
      await once(server, 'listening');
      this.#servers.push(server);
    }
  }

  /** @param pods all that there are. */
  update(pods: readonly Pod[]): void {
    const { selector = {}, publishNotReadyAddresses = false } = this.#manifest.spec;
    const selected = pods.filter(({ labels }) => selects(selector, labels));
    this.#endpoints = selected.filter(
      ({ ready, terminating }) => !terminating && (ready || publishNotReadyAddresses),
    );
    if (!this.#headless) return;
    for (const name of this.#names)
      this.#network.name(
        name,
        this.#endpoints.map(({ address }) => address),
      );
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #lead(socket: Socket, { port, targetPort = port }: Port): void {
    socket.on('error', () => socket.destroy());
    const pod = this.#endpoints[this.#next++ % Math.max(this.#endpoints.length, 1)];
    if (pod === undefined) {
      socket.destroy();
      return;
    }
    const number = typeof targetPort === 'number' ? targetPort : this.#numbered(pod, targetPort);
    const upstream = connect({ host: pod.address, port: number, noDelay: true });
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      this.#open.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#open.delete(one);
        other.destroy();
      });
    }
  }
}
