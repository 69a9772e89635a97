/** Renders the chart and runs what it says (main.ts), in namespaces of its own. */

import { join } from 'node:path';
import { template } from '../render.ts';
import { runInstalled } from '../run-installed.ts';
import type { Account } from './disturb.ts';
import type { Rotated } from './rotate.ts';

export interface Disturbances {
  /** Of all pods, one after the other as the Deployments say. */
  readonly rollouts: number;
  /** Of a pod, as its disruption budget allows. */
  readonly evictions: number;
  /** Of a pod with its machine. */
  readonly losses: number;
}

export interface Seen extends Account {
  /** What a pod waited for before there were Secrets. */
  readonly waiting: string;
  /** From then until all pods were ready. */
  readonly readySeconds: number;
  readonly caller: unknown;
  readonly rotated: Rotated;
  /** Containers that were killed, or that a probe found dead. */
  readonly unclean: readonly string[];
}

export async function runFleet({ rollouts, evictions, losses }: Disturbances): Promise<Seen> {
  const manifests = await template([join(import.meta.dirname, 'values.yaml')]);
  const counts = { rollouts, evictions, losses };
  const flags = Object.entries(counts).flatMap(([name, n]) => [`--${name}`, String(n)]);
  return runInstalled<Seen>(join(import.meta.dirname, 'main.ts'), { manifests }, flags);
}
