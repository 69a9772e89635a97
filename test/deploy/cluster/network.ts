/**
 * A network for pods, inside a network namespace of ours: a bridge with the addresses of pods behind it, addresses of services, and
 * names for both.
 */

import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

const { O_CREAT, O_RDWR } = constants;
const BRIDGE = 'pods';
const PREFIX = '10.77';

const ip = (...args: string[]) => execa('ip', args);

/** The end of a pod's wire. */
export interface PodNetwork {
  readonly name: string;
  /** The namespace, as a file. */
  readonly path: string;
  readonly address: string;
}

export class Network {
  /** Where pods reach what runs on this machine outside of pods. */
  readonly machine = `${PREFIX}.0.1`;
  /** Names and addresses, for every pod. */
  readonly hosts: string;
  readonly #names = new Map<string, readonly string[]>();
  #pods = 0;
  #services = 0;

  private constructor(hosts: string) {
    this.hosts = hosts;
  }

  /** @param folder for its files. */
  static async create(folder: string): Promise<Network> {
    await ip('link', 'add', BRIDGE, 'type', 'bridge');
    const network = new Network(join(folder, 'hosts'));
    await ip('address', 'add', `${network.machine}/16`, 'dev', BRIDGE);
    await ip('link', 'set', BRIDGE, 'up');
    network.#write();
    return network;
  }

  /** A network namespace with an address. */
  async pod(): Promise<PodNetwork> {
    this.#pods += 1;
    const n = this.#pods;
    const name = `pod${n}`;
    const address = `${PREFIX}.${1 + Math.floor(n / 250)}.${1 + (n % 250)}`;
    await ip('netns', 'add', name);
    await ip('link', 'add', `v${n}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    await ip('link', 'set', `v${n}`, 'master', BRIDGE, 'up');
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    await ip('-n', name, 'address', 'add', `${address}/16`, 'dev', 'eth0');
    await ip('-n', name, 'link', 'set', 'eth0', 'up');
    return { name, path: `/run/netns/${name}`, address };
  }

  /** Nothing reaches the pod any more, and nothing comes from it, as when its machine has lost its network. */
  async cut({ name }: PodNetwork): Promise<void> {
    await ip('link', 'set', name.replace('pod', 'v'), 'down');
  }

  async remove({ name }: PodNetwork): Promise<void> {
    await ip('netns', 'delete', name);
  }

  /** One more address of this machine, for a service. */
  async serviceAddress(): Promise<string> {
    this.#services += 1;
    const address = `${PREFIX}.255.${this.#services}`;
    await ip('address', 'add', `${address}/16`, 'dev', BRIDGE);
    return address;
  }

  /** From now on the name has these addresses. */
  name(name: string, addresses: readonly string[]): void {
    this.#names.set(name, addresses);
    this.#write();
  }

  /** In place, for it is mounted as a file; never empty, for it is read at any time. */
  #write(): void {
    const lines = [...this.#names].flatMap(([name, addresses]) => addresses.map((each) => `${each} ${name}`));
    const text = Buffer.from(`${['127.0.0.1 localhost', ...lines].join('\n')}\n`);
    const file = openSync(this.hosts, O_RDWR | O_CREAT, 0o644);
    writeSync(file, text, 0, text.length, 0);
    ftruncateSync(file, text.length);
    closeSync(file);
  }
}
