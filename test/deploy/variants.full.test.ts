/**
 * What the chart says is what runs, with other values than those of fleet.full.test.ts: one pod on SQLite, a Job for each trial, DMD
 * services of their own. Each is disturbed while it trains, and comes out bit for bit as undisturbed.
 */

import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { hasGo } from '../support/go.ts';
import type { PodEnd } from './cluster/job.ts';
import type { Account } from './fleet/disturb.ts';
import { whyNotInside } from './inside.ts';
import { valuesFile } from './manifests.ts';
import { template } from './render.ts';
import { runInstalled } from './run-installed.ts';

vi.setConfig({ testTimeout: 1_800_000 });

const why = whyNotInside ?? (hasGo ? undefined : 'needs Go, to build Helm with');
const where = why === undefined ? '' : ` (skipped: ${why})`;

/** Of each: certificates of clients, and the portable backend, which is there at once. */
const COMMON = ['settings.backend=cpu', 'tls.clientCa.secretName=glocal-client-ca'];
const single = valuesFile('single') ?? '';
const jobs = valuesFile('jobs') ?? '';

const script = (name: string) => join(import.meta.dirname, 'variants', name);

interface Seen extends Account {
  readonly unclean: readonly string[];
}

function expectNothingLost({ findings, unclean, attempts, trials }: Seen): void {
  expect(findings).toEqual([]);
  expect(unclean).toEqual([]);
  // It was disturbed at work.
  expect(attempts).toBeGreaterThan(trials);
}

it.skipIf(why !== undefined)(
  `one pod on a claim, evicted and lost with its machine, loses nothing${where}`,
  async () => {
    const manifests = await template([single], COMMON);
    expectNothingLost(await runInstalled<Seen>(script('single.ts'), { manifests }));
  },
);

it.skipIf(why !== undefined)(
  `Jobs that are evicted and lost with their machine go on, and fail only where a trial has failed${where}`,
  async () => {
    interface SeenJobs extends Seen {
      readonly jobs: readonly { readonly state: string; readonly ends: readonly PodEnd[] }[];
      readonly idle: unknown;
      readonly failed: unknown;
    }
    const more = [...COMMON, 'worker.job.maxReplicas=3', 'worker.job.pollingInterval=5'];
    const manifests = await template([jobs], more);
    const failing = await template([jobs], [...more, 'worker.settings.maxTrialMemoryBytes=1MiB']);
    const seen = await runInstalled<SeenJobs>(script('jobs.ts'), { manifests, failing });
    expectNothingLost(seen);
    expect(seen.jobs.map(({ state }) => state)).toEqual(seen.jobs.map(() => 'complete'));
    const disrupted = seen.jobs.flatMap(({ ends }) => ends).filter((end) => end.disrupted);
    // The evicted one handed its trial back, unless that had ended at the boundary.
    expect(disrupted.map(({ code }) => (code === 0 ? 11 : code)).sort()).toEqual([11, 137]);
    expect(seen.idle).toEqual({ state: 'complete', codes: [0] });
    expect(seen.failed).toEqual({ state: 'failed', codes: [12] });
  },
);

it.skipIf(why !== undefined)(
  `DMD services of their own, with mutual TLS, are exchanged and get other certificates while workers train${where}`,
  async () => {
    const more = [...COMMON, 'store.postgresql.ca.secretName=glocal-database-ca', 'worker.replicas=2'];
    const dmd = ['dmd.mode=deployment', 'dmd.clientTls.enabled=true'];
    const manifests = await template([], [...more, ...dmd]);
    const seen = await runInstalled<Seen>(script('dmd.ts'), { manifests });
    expect(seen).toMatchObject({ findings: [], unclean: [], before: true, rotated: true, reachable: true });
  },
);
