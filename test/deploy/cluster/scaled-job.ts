/** What KEDA does with a ScaledJob: asks how many trials wait, and makes as many Jobs (its strategy `accurate`). */

import type { Manifest, PodTemplate } from '../objects.ts';
import { Job, type JobSpec } from './job.ts';
import type { Pod } from './pod.ts';

export class ScaledJob {
  readonly name: string;
  readonly jobs: Job[] = [];
  readonly #make: (name: string, template: PodTemplate) => Pod;
  #manifest: Manifest;

  /** @param make a pod, which has not started. */
  constructor(manifest: Manifest, make: (name: string, template: PodTemplate) => Pod) {
    this.name = manifest.metadata.name;
    this.#manifest = manifest;
    this.#make = make;
  }

  /** From now on Jobs are made of this; those that run go on as they are (`rollout.strategy: gradual`). */
  set manifest(manifest: Manifest) {
    this.#manifest = manifest;
  }

  get pods(): readonly Pod[] {
    return this.jobs.flatMap(({ pod }) => pod ?? []);
  }

  /** Its trigger, as KEDA reads it. */
  get trigger(): { readonly metadata: Readonly<Record<string, string>>; readonly authentication: string } {
    const [{ metadata, authenticationRef }] = this.#manifest.spec.triggers;
    return { metadata, authentication: authenticationRef.name };
  }

  get pollingSeconds(): number {
    return this.#manifest.spec.pollingInterval;
  }

  /** Makes Jobs for so many that wait. @returns the new ones, which run. */
  scale(waiting: number): readonly Job[] {
    const { maxReplicaCount, scalingStrategy } = this.#manifest.spec;
    if (scalingStrategy.strategy !== 'accurate')
      throw new Error('only the strategy `accurate` is known here');
    const running = this.jobs.filter(({ state }) => state === 'running');
    const pending = running.filter((job) => job.pending);
    const wanted = Math.min(waiting, maxReplicaCount);
    const count =
      wanted + running.length > maxReplicaCount ? maxReplicaCount - running.length : wanted - pending.length;
    return Array.from({ length: Math.max(count, 0) }, () => this.create());
  }

  /** Makes one Job, whether anything waits or not. */
  create(): Job {
    const { template, ...spec } = this.#manifest.spec.jobTargetRef as JobSpec & { template: PodTemplate };
    const job = new Job(`${this.name}-${this.jobs.length + 1}`, spec, (name) => this.#make(name, template));
    this.jobs.push(job);
    return job;
  }
}
