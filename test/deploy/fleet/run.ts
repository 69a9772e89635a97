/** Renders the chart and runs what it says (main.ts), in namespaces of its own. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { helm } from '../../support/kubernetes-tools.ts';
import { temporaryFolder } from '../../support/trainer.ts';
import { runInside } from '../inside.ts';
import { CHART } from '../manifests.ts';
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
  await using folder = await temporaryFolder();
  const manifests = join(folder.path, 'manifests.yaml');
  const values = join(import.meta.dirname, 'values.yaml');
  const { exitCode, stdout, stderr } = await helm([
    ...['template', 'glocal', CHART, '--namespace', 'glocal', '--kube-version', '1.33.0', '--skip-tests'],
    ...['--values', values],
  ]);
  if (exitCode !== 0) throw new Error(`helm: ${stderr}`);
  await writeFile(manifests, stdout);
  const counts = { rollouts, evictions, losses };
  const flags = Object.entries(counts).flatMap(([name, n]) => [`--${name}`, String(n)]);
  return JSON.parse(
    await runInside(join(import.meta.dirname, 'main.ts'), ['--manifests', manifests, ...flags]),
  ) as Seen;
}
