/** A Job of one pod at a time, and what its controller does when the pod has ended. */

import type { Exit } from './container.ts';
import type { Pod } from './pod.ts';

/** What of a Job's specification is looked at here. */
export interface JobSpec {
  readonly backoffLimit?: number;
  readonly podFailurePolicy?: { readonly rules: readonly FailureRule[] };
}

interface FailureRule {
  readonly action: 'FailJob' | 'Ignore' | 'Count';
  readonly onPodConditions?: readonly { readonly type: string; readonly status?: string }[];
  readonly onExitCodes?: {
    readonly containerName?: string;
    readonly operator: 'In' | 'NotIn';
    readonly values: readonly number[];
  };
}

/** How a pod has ended. */
export interface PodEnd {
  /** Exit code of the container. */
  readonly code: number;
  /** Whether an eviction or the loss of its machine ended it, not the program itself. */
  readonly disrupted: boolean;
}

const DEFAULT_BACKOFF_LIMIT = 6;
const SIGNALS: Readonly<Record<string, number>> = { SIGKILL: 9, SIGTERM: 15 };

export class Job {
  readonly name: string;
  readonly #spec: JobSpec;
  readonly #make: (pod: string) => Pod;
  state: 'running' | 'complete' | 'failed' = 'running';
  /** The pod that there is now. */
  pod: Pod | undefined;
  /** How its pods have ended, in their order. */
  readonly ends: PodEnd[] = [];

  /** @param make a pod with a name, which has not started. */
  constructor(name: string, spec: JobSpec, make: (pod: string) => Pod) {
    this.name = name;
    this.#spec = spec;
    this.#make = make;
  }

  /** Whether it waits for its pod to begin. */
  get pending(): boolean {
    return this.state === 'running' && !this.pod?.begun;
  }

  /** Resolves once it is complete, or has failed. */
  async run(): Promise<void> {
    const { backoffLimit = DEFAULT_BACKOFF_LIMIT } = this.#spec;
    let failures = 0;
    while (this.state === 'running') {
      const end = await this.#runPod(this.#make(`${this.name}-${this.ends.length + 1}`));
      this.ends.push(end);
      const action = end.code === 0 ? 'Complete' : this.#actionOn(end);
      if (action === 'Count') failures += 1;
      if (action === 'Complete') this.state = 'complete';
      else if (action === 'FailJob' || failures > backoffLimit) this.state = 'failed';
    }
  }

  async #runPod(pod: Pod): Promise<PodEnd> {
    this.pod = pod;
    await pod.start();
    const exit = await pod.ended();
    const disrupted = pod.terminating;
    // What is left of it are its sidecars; whoever disrupted it sees to them.
    if (!disrupted) await pod.terminate();
    this.pod = undefined;
    return { code: codeOf(exit), disrupted };
  }

  /** By the first rule that fits, as a Job's controller does. */
  #actionOn({ code, disrupted }: PodEnd): FailureRule['action'] {
    const fits = ({ onPodConditions, onExitCodes }: FailureRule): boolean => {
      if (onExitCodes !== undefined) {
        return onExitCodes.values.includes(code) === (onExitCodes.operator === 'In');
      }
      return disrupted && (onPodConditions ?? []).some(({ type }) => type === 'DisruptionTarget');
    };
    return this.#spec.podFailurePolicy?.rules.find(fits)?.action ?? 'Count';
  }
}

const codeOf = ({ code, signal }: Exit): number => code ?? 128 + (SIGNALS[signal ?? ''] ?? 0);
