/** A pod, with what a kubelet does for it: volumes, containers in their order, probes, restarts, and its end. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerSpec, PodTemplate, SecurityContext } from '../objects.ts';
import { Container, type Exit, type Mount, removeFolder } from './container.ts';
import { type Identity, substitute, variablesOf } from './environment.ts';
import { imageOf } from './image.ts';
import { checkPod } from './known-fields.ts';
import type { Network, PodNetwork } from './network.ts';
import { watch } from './probe.ts';
import { filesOf, type Lookup, MissingObjectError, makeFolder, writeFiles } from './volumes.ts';

const GRACE_SECONDS = 30;
/** Between tries to start what cannot start yet; a kubelet waits longer each time. */
const AGAIN_MS = 1_000;

/** What a pod needs of its cluster. */
export interface Surroundings {
  readonly network: Network;
  readonly lookup: Lookup;
  /** Folder of a claim, which outlives pods. */
  readonly claim: (name: string) => string;
  /** Folder for the files of the pod. */
  readonly folder: string;
  readonly namespace: string;
  /** The pod is ready, or is not any more. */
  readonly changed: () => void;
}

interface Running {
  readonly spec: ContainerSpec;
  readonly sidecar: boolean;
  container: Container | undefined;
  started: boolean;
  ready: boolean;
  restarts: number;
  /** Whether it is wanted; a container that ends is started again only then. */
  wanted: boolean;
  watching: AbortController;
}

export class Pod {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly #template: PodTemplate;
  readonly #surroundings: Surroundings;
  readonly #folder: string;
  readonly #containers: Running[];
  readonly #logs: string[] = [];
  /** What keeps it from starting, in words. */
  waiting = '';
  network: PodNetwork | undefined;
  terminating = false;

  constructor(name: string, template: PodTemplate, surroundings: Surroundings) {
    checkPod(template);
    this.name = name;
    this.labels = template.metadata?.labels ?? {};
    this.#template = template;
    this.#surroundings = surroundings;
    this.#folder = join(surroundings.folder, name);
    const { initContainers = [], containers } = template.spec;
    const running = (spec: ContainerSpec, sidecar: boolean): Running => ({
      ...{ spec, sidecar, container: undefined, started: false, ready: false, restarts: 0, wanted: false },
      watching: new AbortController(),
    });
    this.#containers = [
      ...initContainers.map((spec) => running(spec, spec.restartPolicy === 'Always')),
      ...containers.map((spec) => running(spec, false)),
    ];
  }

  get ready(): boolean {
    const lasting = this.#containers.filter((each) => each.sidecar || !this.#isInit(each));
    return !this.terminating && lasting.every(({ ready }) => ready);
  }

  /** Whether its last container was begun. */
  get begun(): boolean {
    return this.#containers.at(-1)?.container !== undefined;
  }

  get restarts(): number {
    return this.#containers.reduce((sum, { restarts }) => sum + restarts, 0);
  }

  get address(): string {
    return this.network?.address ?? '';
  }

  /** All that its containers have printed, each line with the container's name. */
  get log(): readonly string[] {
    return [...this.#logs, ...this.#containers.flatMap(({ container }) => linesOf(container))];
  }

  container(name: string): Container {
    const found = this.#containers.find(({ spec }) => spec.name === name)?.container;
    if (found === undefined) throw new Error(`pod ${this.name} has no container ${name} that runs`);
    return found;
  }

  get specs(): readonly ContainerSpec[] {
    return this.#containers.map(({ spec }) => spec);
  }

  /** Starts its containers in their order. Resolves when the last has begun, or the pod is told to end. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    this.network = await this.#surroundings.network.pod();
    while (!this.terminating) {
      try {
        await this.refreshVolumes();
        for (const { spec } of this.#containers) variablesOf(spec, this.#identity());
        break;
      } catch (error) {
        if (!(error instanceof MissingObjectError)) throw error;
        this.waiting = error.message;
        await sleep(AGAIN_MS);
      }
    }
    this.waiting = '';
    for (const each of this.#containers) {
      if (this.terminating) return;
      if (this.#isInit(each) && !each.sidecar) await this.#untilSucceeded(each);
      else await this.#keep(each);
    }
  }

  /** Writes Secrets and ConfigMaps into volumes as they are now. */
  async refreshVolumes(): Promise<void> {
    const group = this.#template.spec.securityContext?.fsGroup;
    for (const volume of this.#template.spec.volumes ?? []) {
      const files = filesOf(volume, this.#surroundings.lookup);
      const folder = this.#volumeFolder(volume.name);
      const mode = (volume.secret ?? volume.configMap ?? volume.projected)?.defaultMode;
      if (files !== undefined) await writeFiles(folder, files, { mode, group });
      else await makeFolder(folder, group);
    }
  }

  /** Ends it as a deletion does: first containers, then sidecars from the last to the first, each by SIGTERM, all within the grace period. */
  async terminate(): Promise<void> {
    this.terminating = true;
    this.#surroundings.changed();
    const seconds = this.#template.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS;
    const overdue = Date.now() + seconds * 1_000;
    const main = this.#containers.filter((each) => !this.#isInit(each));
    await Promise.all(main.map((each) => this.#end(each, overdue)));
    for (const sidecar of this.#containers.filter(({ sidecar }) => sidecar).reverse())
      await this.#end(sidecar, overdue);
    await this.#remove();
  }

  /** Ends it as the loss of its machine does. */
  async vanish(): Promise<void> {
    this.terminating = true;
    this.#surroundings.changed();
    if (this.network !== undefined) await this.#surroundings.network.cut(this.network);
    for (const each of this.#containers) each.wanted = false;
    await Promise.all(this.#containers.map(({ container }) => container?.kill()));
    await this.#remove();
  }

  /** Waits until its last container has ended, where it is not to be started again; one that never started was stopped before. */
  async ended(): Promise<Exit> {
    const main = this.#containers.at(-1);
    return (await main?.container?.ended) ?? { code: null, signal: 'SIGTERM' };
  }

  #identity(): Identity {
    const { lookup, namespace } = this.#surroundings;
    return { name: this.name, namespace, address: this.address, lookup };
  }

  #isInit({ spec }: Running): boolean {
    return this.#template.spec.initContainers?.includes(spec) ?? false;
  }

  async #end(each: Running, overdue: number): Promise<void> {
    each.wanted = false;
    each.watching.abort();
    const { container, spec } = each;
    if (container === undefined || !container.running) return;
    const { preStop } = spec.lifecycle ?? {};
    if (preStop?.sleep !== undefined) await sleep(preStop.sleep.seconds * 1_000);
    if (preStop?.exec !== undefined) await container.exec(preStop.exec.command, overdue - Date.now());
    container.signal('SIGTERM');
    const left = sleep(Math.max(overdue - Date.now(), 0)).then(() => 'overdue');
    if ((await Promise.race([container.ended, left])) === 'overdue') {
      this.#logs.push(`${spec.name}: killed, for it did not end within the grace period`);
      await container.kill();
    }
  }

  async #remove(): Promise<void> {
    this.#logs.push(...this.#containers.flatMap(({ container }) => linesOf(container)));
    for (const each of this.#containers) each.container = undefined;
    if (this.network !== undefined) await this.#surroundings.network.remove(this.network);
    await removeFolder(this.#folder);
  }

  async #untilSucceeded(each: Running): Promise<void> {
    while (!this.terminating) {
      const { code } = await (await this.#launch(each)).ended;
      if (code === 0) return;
      each.restarts += 1;
      await sleep(AGAIN_MS);
    }
  }

  /** Starts a container that is to run, and waits until it has started. */
  async #keep(each: Running): Promise<void> {
    each.wanted = true;
    const container = await this.#launch(each);
    const started = this.#probe(each, container);
    void container.ended.then(() => this.#restart(each)).catch(() => {});
    if (each.sidecar) while (!each.started && each.wanted) await Promise.race([started, sleep(50)]);
  }

  async #restart(each: Running): Promise<void> {
    each.watching.abort();
    [each.started, each.ready] = [false, false];
    this.#surroundings.changed();
    if (!each.wanted || (this.#template.spec.restartPolicy === 'Never' && !each.sidecar)) return;
    each.restarts += 1;
    await sleep(AGAIN_MS * Math.min(each.restarts, 10));
    if (each.wanted) await this.#keep(each);
  }

  /** Until it has started. Readiness and liveness are asked for from then on. */
  async #probe(each: Running, container: Container): Promise<void> {
    const { spec } = each;
    each.watching = new AbortController();
    const { signal } = each.watching;
    const probed = { container, spec, address: this.address };
    const { promise: started, resolve } = Promise.withResolvers<void>();
    if (spec.startupProbe === undefined) resolve();
    else {
      void watch(spec.startupProbe, probed, signal, (good, reason) => {
        if (good) resolve();
        else this.#fail(each, container, `has not started: ${reason}`);
      });
    }
    await Promise.race([started, container.ended]);
    if (signal.aborted || !container.running) return;
    each.started = true;
    if (spec.livenessProbe !== undefined) {
      void watch(spec.livenessProbe, probed, signal, (good, reason) => {
        if (!good) this.#fail(each, container, `is not alive: ${reason}`);
      });
    }
    const tell = (good: boolean, reason = '') => {
      if (!good) this.#logs.push(`${spec.name}: is not ready: ${reason}`);
      each.ready = good;
      this.#surroundings.changed();
    };
    if (spec.readinessProbe === undefined) tell(true);
    else void watch(spec.readinessProbe, probed, signal, tell);
  }

  #fail({ spec }: Running, container: Container, reason: string): void {
    this.#logs.push(`${spec.name}: ${reason}`);
    void container.kill();
  }

  async #launch(each: Running): Promise<Container> {
    const { spec } = each;
    this.#logs.push(...linesOf(each.container));
    const { securityContext: pod = {} } = this.#template.spec;
    const own: SecurityContext = { ...pod, ...spec.securityContext };
    const image = imageOf(spec.image);
    const env = variablesOf(spec, this.#identity());
    const folder = join(this.#folder, `${spec.name}-${each.restarts}`);
    await mkdir(folder, { recursive: true });
    const expand = (texts: readonly string[] | undefined) => texts?.map((text) => substitute(text, env));
    const { fsGroup } = pod;
    each.container = await Container.start({
      ...{ name: spec.name, image, env, folder },
      ...{ command: expand(spec.command), args: expand(spec.args) },
      mounts: this.#mounts(spec),
      readOnlyRoot: own.readOnlyRootFilesystem ?? false,
      user: own.runAsUser ?? image.user,
      group: own.runAsGroup ?? image.user,
      groups: fsGroup === undefined ? [] : [fsGroup],
      network: this.network?.path ?? '',
      hosts: this.#surroundings.network.hosts,
    });
    return each.container;
  }

  #volumeFolder(name: string): string {
    const claim = this.#template.spec.volumes?.find((volume) => volume.name === name)?.persistentVolumeClaim;
    return claim === undefined
      ? join(this.#folder, 'volumes', name)
      : this.#surroundings.claim(claim.claimName);
  }

  #mounts({ volumeMounts = [] }: ContainerSpec): Mount[] {
    return volumeMounts.map(({ name, mountPath, subPath = '', readOnly = false }) => {
      const volume = this.#template.spec.volumes?.find((each) => each.name === name);
      if (volume === undefined) throw new Error(`pod ${this.name} has no volume ${name}`);
      const content = (volume.secret ?? volume.configMap ?? volume.projected) !== undefined;
      return {
        path: mountPath,
        source: join(this.#volumeFolder(name), subPath),
        readOnly: readOnly || content,
      };
    });
  }
}

const linesOf = (container: Container | undefined): string[] =>
  (container?.log ?? []).map((line) => `${container?.name}: ${line}`);
