/**
 * Manifests made into what they say, on this machine: what the controllers of Kubernetes do with Deployments, Services, Secrets and
 * disruption budgets, as far as a rollout, an eviction and the loss of a machine need it, and KEDA with ScaledJobs. It judges no
 * manifest: the tests of the chart do.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ContainerSpec, type Manifest, type PodTemplate, selects } from '../objects.ts';
import type { Job } from './job.ts';
import { Network } from './network.ts';
import { Pod, type Surroundings } from './pod.ts';
import { ScaledJob } from './scaled-job.ts';
import { Service } from './service.ts';
import { Workload } from './workload.ts';

const LOOK_MS = 100;

export class Cluster implements AsyncDisposable {
  readonly network: Network;
  readonly namespace: string;
  readonly #folder: string;
  readonly #objects = new Map<string, Manifest>();
  readonly #workloads: Workload[] = [];
  readonly #scaledJobs: ScaledJob[] = [];
  readonly #services: Service[] = [];
  readonly #terminating = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  readonly #gone: Pod[] = [];
  readonly #ofJobs: Pod[] = [];
  #running = true;

  private constructor(network: Network, namespace: string, folder: string) {
    this.network = network;
    this.namespace = namespace;
    this.#folder = folder;
  }

  static async create(folder: string, namespace: string): Promise<Cluster> {
    return new Cluster(await Network.create(folder), namespace, folder);
  }

  /** Makes the objects, or changes those that are there already, and begins with what they say. */
  async apply(manifests: readonly Manifest[]): Promise<void> {
    for (const manifest of manifests) {
      const key = `${manifest.kind}/${manifest.metadata.name}`;
      const before = this.#objects.get(key);
      this.#objects.set(key, manifest);
      if (manifest.kind === 'Service' && before === undefined) {
        const service = new Service(manifest, this.namespace, this.network, portNumber);
        await service.open();
        this.#services.push(service);
      }
      if (manifest.kind === 'Deployment') this.#applyDeployment(manifest);
      if (manifest.kind === 'ScaledJob') this.#applyScaledJob(manifest);
      if (manifest.kind === 'Secret' && before !== undefined) await this.#refreshVolumes();
    }
    this.#update();
  }

  /** Changes the template of a Deployment's pods, as `kubectl rollout restart` does. */
  restart(deployment: string): void {
    const workload = this.#workload(deployment);
    const { metadata = {} } = workload.template;
    const annotations = { ...metadata.annotations, restartedAt: String(workload.revision + 1) };
    workload.template = { ...workload.template, metadata: { ...metadata, annotations } };
    workload.revision += 1;
  }

  /** Waits until every Deployment has its pods, of the newest template and ready. */
  async settled(timeout = 600_000): Promise<void> {
    const until = Date.now() + timeout;
    while (!this.#workloads.every(({ settled }) => settled) || this.#terminating.size > 0) {
      this.#rethrow();
      if (Date.now() > until) throw new Error(`the cluster does not come to rest:\n${this.describe()}`);
      await sleep(LOOK_MS);
    }
  }

  /** Of a Service that has one of its own. */
  addressOf(service: string): string {
    const found = this.#services.find(({ name }) => name === service)?.address;
    if (found === undefined) throw new Error(`there is no Service ${service} with an address`);
    return found;
  }

  /** Pods of a Deployment that are not terminating. */
  pods(deployment: string): readonly Pod[] {
    return this.#workload(deployment).pods.map(({ pod }) => pod);
  }

  scaledJob(name: string): ScaledJob {
    const found = this.#scaledJobs.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no ScaledJob ${name}`);
    return found;
  }

  /** Has a Job of a ScaledJob run to its end, whatever that is. */
  run(job: Job): void {
    job.run().catch((error) => this.#failures.push(error));
  }

  /** An object that was applied. */
  object(kind: string, name: string): Manifest {
    const found = this.#objects.get(`${kind}/${name}`);
    if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
    return found;
  }

  /** Asks for the end of a pod as `kubectl drain` does: waits until the disruption budgets allow it. */
  async evict(pod: Pod): Promise<void> {
    while (!this.#mayDisrupt(pod)) {
      this.#rethrow();
      await sleep(LOOK_MS);
    }
    this.#terminate(pod);
  }

  /** The machine of the pod is gone. Its Deployment makes another one. */
  async vanish(pod: Pod): Promise<void> {
    this.#forget(pod);
    await pod.vanish();
  }

  /** Every pod with its state and the ends of its logs. */
  describe(): string {
    return [...this.#pods(), ...this.#gone.slice(-2)]
      .map(
        (pod) =>
          `${pod.name}: ${pod.ready ? 'ready' : 'not ready'} ${pod.waiting}\n${pod.log.slice(-12).join('\n')}`,
      )
      .join('\n');
  }

  /** Lines of all pods that there were. */
  get log(): readonly string[] {
    const all = new Set([...this.#gone, ...this.#ofJobs, ...this.#pods()]);
    return [...all].flatMap(({ name, log }) => log.map((line) => `${name}: ${line}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running = false;
    for (const pod of this.#pods()) await pod.vanish();
    for (const service of this.#services) service.close();
    await Promise.all(this.#terminating);
  }

  #applyDeployment(manifest: Manifest): void {
    const there = this.#workloads.find(({ name }) => name === manifest.metadata.name);
    if (there === undefined) {
      const workload = new Workload(manifest);
      this.#workloads.push(workload);
      void this.#control(workload);
      return;
    }
    there.replicas = manifest.spec.replicas ?? 1;
    if (JSON.stringify(there.template) === JSON.stringify(manifest.spec.template)) return;
    there.template = manifest.spec.template;
    there.revision += 1;
  }

  /** What the controller of Deployments does. */
  async #control(workload: Workload): Promise<void> {
    const { surge, unavailable } = workload.strategy;
    for (; this.#running; await sleep(LOOK_MS)) {
      const { pods, replicas, revision } = workload;
      const old = pods.filter((each) => each.revision !== revision);
      const enough = pods.filter(({ pod }) => pod.ready).length - 1 >= replicas - unavailable;
      const toEnd = old.find(({ pod }) => enough || !pod.ready);
      if (toEnd !== undefined && (pods.length > replicas || unavailable > 0)) this.#terminate(toEnd.pod);
      else if (pods.length - old.length < replicas && pods.length < replicas + surge)
        await this.#make(workload);
      else if (pods.length > replicas && old.length === 0) this.#terminate((pods.at(-1) as { pod: Pod }).pod);
    }
  }

  async #make(workload: Workload): Promise<void> {
    // A Deployment that is made anew waits until the old pods have ended.
    if (workload.strategy.surge === 0) await Promise.all(this.#terminating);
    workload.made += 1;
    const pod = new Pod(`${workload.name}-${workload.made}`, workload.template, this.#surroundings());
    workload.pods = [...workload.pods, { pod, revision: workload.revision }];
    pod.start().catch((error) => this.#failures.push(error));
  }

  #surroundings(): Surroundings {
    return {
      network: this.network,
      lookup: (kind, name) => this.#objects.get(`${kind}/${name}`),
      claim: (name) => join(this.#folder, 'claims', name),
      folder: join(this.#folder, 'pods'),
      namespace: this.namespace,
      changed: () => this.#update(),
    };
  }

  #applyScaledJob(manifest: Manifest): void {
    const there = this.#scaledJobs.find(({ name }) => name === manifest.metadata.name);
    if (there !== undefined) there.manifest = manifest;
    else {
      const make = (name: string, template: PodTemplate) => {
        const pod = new Pod(name, template, this.#surroundings());
        this.#ofJobs.push(pod);
        return pod;
      };
      this.#scaledJobs.push(new ScaledJob(manifest, make));
    }
  }

  #terminate(pod: Pod): void {
    this.#forget(pod);
    const ended = pod.terminate().catch((error) => void this.#failures.push(error));
    this.#terminating.add(ended);
    void ended.finally(() => this.#terminating.delete(ended));
  }

  #forget(pod: Pod): void {
    for (const workload of this.#workloads) workload.pods = workload.pods.filter((each) => each.pod !== pod);
    this.#gone.push(pod);
  }

  #mayDisrupt({ labels }: Pod): boolean {
    const budgets = [...this.#objects.values()].filter(
      ({ kind, spec }) => kind === 'PodDisruptionBudget' && selects(spec.selector.matchLabels, labels),
    );
    return budgets.every(({ spec }) => {
      const of = this.#workloads.filter(({ template }) =>
        selects(spec.selector.matchLabels, template.metadata?.labels ?? {}),
      );
      const expected = of.reduce((sum, { replicas }) => sum + replicas, 0);
      const healthy = of.flatMap(({ pods }) => pods).filter(({ pod }) => pod.ready).length;
      const least = spec.minAvailable ?? expected - (spec.maxUnavailable ?? 0);
      if (typeof least !== 'number') throw new Error('a disruption budget in percent is not known here');
      return healthy - 1 >= least;
    });
  }

  async #refreshVolumes(): Promise<void> {
    for (const pod of this.#pods()) await pod.refreshVolumes();
  }

  #workload(name: string): Workload {
    const found = this.#workloads.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no Deployment ${name}`);
    return found;
  }

  #update(): void {
    const pods = this.#pods();
    for (const service of this.#services) service.update(pods);
  }

  /** Those that are not terminating, or not known to. */
  #pods(): readonly Pod[] {
    return [
      ...this.#workloads.flatMap((workload) => workload.pods.map(({ pod }) => pod)),
      ...this.#scaledJobs.flatMap(({ pods }) => pods),
    ];
  }

  #rethrow(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
  }
}

/** Of a port that a container of the pod names. */
function portNumber(pod: Pod, name: string): number {
  const ports = pod.specs.flatMap(({ ports = [] }: ContainerSpec) => ports);
  const found = ports.find((port) => port.name === name);
  if (found === undefined) throw new Error(`pod ${pod.name} has no port ${name}`);
  return found.containerPort;
}
