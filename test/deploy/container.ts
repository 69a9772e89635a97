/** Containers of the images, run as a cluster would: read-only root, no capabilities, no way to more privileges. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { type ImageName, tagOf } from './images.ts';

/** Where root may not raise its limits, podman's own are too high. */
const LIMITS = ['--ulimit', 'nofile=16384:16384', '--ulimit', 'nproc=4096:4096'];
const READY_WITHIN_MS = 120_000;

/** podman with a runtime that works on this machine; crun does not on all kinds of control groups. */
let podman: readonly [string, ...string[]] | undefined;

async function findPodman(image: string): Promise<readonly [string, ...string[]]> {
  const tried: string[] = [];
  for (const runtime of [[], ['--runtime', 'runc']]) {
    const probe = ['run', '--rm', ...LIMITS, '--network', 'none', '--entrypoint', '/no-such-program', image];
    const { stderr } = await execa('podman', [...runtime, ...probe], { reject: false });
    // That there is no such program is said by a container that was made.
    if (/no such file or directory|not found/i.test(stderr)) return ['podman', ...runtime];
    tried.push(stderr);
  }
  throw new Error(`podman runs no container here (with runc? apt-get install runc): ${tried.join('; ')}`);
}

export interface ContainerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of podman, `host` or `none`. @default 'host' */
  readonly network?: 'host' | 'none';
  /** What the trainer keeps; without one it goes with the container. */
  readonly volume?: Volume | undefined;
}

/** A named volume, which outlives the containers that it is mounted in, and takes the owner of the folder that it lies over. */
export class Volume implements AsyncDisposable {
  readonly name = `glocal-${randomUUID()}`;

  async [Symbol.asyncDispose](): Promise<void> {
    await execa('podman', ['volume', 'rm', '--force', this.name]);
  }
}

export class Container implements AsyncDisposable {
  readonly name = `glocal-${randomUUID()}`;
  readonly #podman: readonly [string, ...string[]];
  #log = '';
  #hasEnded = false;
  readonly #running;

  private constructor(
    found: readonly [string, ...string[]],
    image: ImageName,
    { args = [], env = {}, network = 'host', volume }: ContainerOptions,
  ) {
    this.#podman = found;
    const [command, ...first] = found;
    this.#running = execa(
      command,
      [
        ...[...first, 'run', '--rm', '--name', this.name, '--network', network, ...LIMITS],
        ...['--read-only', '--read-only-tmpfs=false', '--cap-drop', 'all'],
        ...['--security-opt', 'no-new-privileges'],
        // Only the trainer writes, and where its image says.
        ...(image.startsWith('glocal-trainer') ? ['--tmpfs', '/tmp'] : []),
        ...(volume === undefined ? [] : ['--volume', `${volume.name}:/var/lib/glocal`]),
        ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
        ...[tagOf(image), ...args],
      ],
      { reject: false, all: true },
    );
    this.#running.all.on('data', (text) => {
      this.#log += text;
    });
    void this.#running.then(() => {
      this.#hasEnded = true;
    });
  }

  /** Starts a container; {@link Container.says} tells when it serves. */
  static async start(image: ImageName, options: ContainerOptions = {}): Promise<Container> {
    podman ??= await findPodman(tagOf(image));
    return new Container(podman, image, options);
  }

  get log(): string {
    return this.#log;
  }

  /** Waits until it has printed what matches. @throws Error when it ends first */
  async says(pattern: RegExp): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!pattern.test(this.#log)) {
      if (this.#hasEnded) throw new Error(`the container ended: ${this.#log}`);
      if (Date.now() > deadline) throw new Error(`the container does not say ${pattern}: ${this.#log}`);
      await sleep(20);
    }
  }

  /** Asks podman about it or does something with it, whatever comes of that. */
  podman(...args: readonly string[]) {
    const [command, ...first] = this.#podman;
    return execa(command, [...first, ...args], { reject: false, all: true });
  }

  /** Runs a program inside. */
  exec(...command: readonly string[]) {
    return this.podman('exec', this.name, ...command);
  }

  /** Runs the image's own health check, inside. */
  healthcheck() {
    return this.podman('healthcheck', 'run', this.name);
  }

  /** Milliseconds since 1970 at which its program was started. */
  async startedAt(): Promise<number> {
    const { stdout } = await this.podman('inspect', '--format', '{{.State.StartedAt.UnixMilli}}', this.name);
    return Number(stdout);
  }

  /** Asks it to end, and returns its exit code. */
  async stop(): Promise<number | undefined> {
    await this.podman('kill', '--signal', 'TERM', this.name);
    return (await this.#running).exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.podman('rm', '--force', '--volumes', this.name);
    await this.#running;
  }
}
