/** A Deployment and its pods. */

import type { Manifest, PodTemplate } from '../objects.ts';
import type { Pod } from './pod.ts';

interface Strategy {
  readonly surge: number;
  readonly unavailable: number;
}

export class Workload {
  readonly name: string;
  replicas: number;
  template: PodTemplate;
  readonly strategy: Strategy;
  /** Counts the changes of the template. */
  revision = 1;
  /** Those that are not terminating. */
  pods: { readonly pod: Pod; readonly revision: number }[] = [];
  made = 0;

  constructor({ metadata, spec }: Manifest) {
    this.name = metadata.name;
    this.replicas = spec.replicas ?? 1;
    this.template = spec.template;
    this.strategy = strategyOf(spec, this.replicas);
  }

  get settled(): boolean {
    return (
      this.pods.length === this.replicas &&
      this.pods.every(({ pod, revision }) => revision === this.revision && pod.ready)
    );
  }
}

function strategyOf({ strategy = {} }: Manifest['spec'], replicas: number): Strategy {
  if (strategy.type === 'Recreate') return { surge: 0, unavailable: replicas };
  const { maxSurge = '25%', maxUnavailable = '25%' } = strategy.rollingUpdate ?? {};
  const count = (value: number | string, round: (x: number) => number) =>
    typeof value === 'number' ? value : round((Number.parseFloat(value) / 100) * replicas);
  return { surge: count(maxSurge, Math.ceil), unavailable: count(maxUnavailable, Math.floor) };
}
