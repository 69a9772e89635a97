/**
 * Faults of the network between every pair of a fleet that talks over it: clients and a server, servers or workers and the
 * database, workers and a DMD service, servers or workers and an object store. Needs Go.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Workload } from '../faults/workload.ts';
import { workloads } from '../faults/workloads.ts';
import { startDmd } from '../support/dmd.ts';
import { hasGo, whereGoIs } from '../support/go.ts';
import { trainingProcesses } from '../support/processes.ts';
import { type FleetProcess, LEASE_MS, RoleFleet } from '../support/role-fleet.ts';
import { startS3rver } from '../support/s3.ts';
import { longStudy, training } from '../support/studies.ts';
import { type Toxic, Toxiproxy } from '../support/toxiproxy.ts';
import { temporaryFolder } from '../support/trainer.ts';
import { catFiles } from '../support/upload.ts';

const TOXICS: Readonly<Record<string, Toxic>> = {
  'a connection that is cut': { type: 'reset_peer', attributes: { timeout: 0 } },
  // Until the toxic is taken away: then the connection ends.
  'a black hole': { type: 'timeout', attributes: { timeout: 0 } },
  'a slow network': { type: 'latency', attributes: { latency: 300, jitter: 150 } },
};
const ROUNDS = 2;
/** Milliseconds. */
const DISTURBED = 900;
const LEFT_ALONE = 400;
const WITHIN = 900_000;
const PATIENCE = { timeout: 120_000, interval: 50 };

/** Names of the proxies. */
const PAIRS = {
  clients: 'clients and their server',
  serverDatabase: 'a server and the database',
  workerDatabase: 'the workers and the database',
  dmd: 'the workers and their DMD service',
  serverObjects: 'a server and the object store',
  workerObjects: 'the workers and the object store',
};

const cleanUp = new AsyncDisposableStack();
let proxies: Toxiproxy;
let fleet: RoleFleet;
/** Of the server, behind its proxy. */
let address: string;
const disturbed: readonly Workload[] = workloads();

const run = (workload: Workload, at: string) =>
  workload.run({ address: at, signal: AbortSignal.timeout(WITHIN), fragile() {} });

beforeAll(async () => {
  if (!hasGo) return;
  const programs = cleanUp.use(await temporaryFolder()).path;
  proxies = cleanUp.use(await Toxiproxy.start(programs));
  const objects = cleanUp.use(await startS3rver());
  const dmd = cleanUp.adopt(await startDmd(), (child) => child.stop());
  const behind: Record<string, string> = {
    dmd: await proxies.proxy(PAIRS.dmd, dmd.address),
    serverObjects: await proxies.proxy(PAIRS.serverObjects, objects.address),
    workerObjects: await proxies.proxy(PAIRS.workerObjects, objects.address),
  };
  fleet = cleanUp.use(
    await RoleFleet.start({
      ...{ servers: 1, workers: 2, env: objects.env },
      args: ['--backend', 'wasm', '--max-running-trials', '2', '--objects', `s3://${objects.bucket}/fleet`],
      async database(postgres) {
        const database = `127.0.0.1:${postgres.port}`;
        behind.serverDatabase = await proxies.proxy(PAIRS.serverDatabase, database);
        behind.workerDatabase = await proxies.proxy(PAIRS.workerDatabase, database);
        return postgres.newDatabase();
      },
      argsOf: (role, url) => [
        ...['--store', url.replace(/127.0.0.1:\d+/, behind[`${role}Database`] as string)],
        ...['--objects-endpoint', `http://${behind[`${role}Objects`]}`],
        ...(role === 'worker' ? ['--dmd-address', behind.dmd as string] : []),
      ],
    }),
  );
  const server = fleet.servers[0] as FleetProcess;
  address = await proxies.proxy(PAIRS.clients, server.address);
  for (const workload of disturbed) await run(workload, server.address);
}, 3_000_000);
afterAll(() => cleanUp.disposeAsync());

/** Something uploaded, trained on elsewhere, and deleted. */
async function useArtifact(): Promise<void> {
  const files = Object.entries(catFiles(crypto.randomUUID())).map(([path, content]) => ({ path, content }));
  const { name } = await fleet.client.artifacts.upload(files);
  await fleet.client.artifacts.delete(name);
}

describe.skipIf(!hasGo)(`faults of the network${whereGoIs}`, () => {
  it.each(Object.values(PAIRS))(
    'between %s lose nothing, double nothing and change nothing',
    async (pair) => {
      const outcomes = Promise.all(disturbed.map((workload) => run(workload, address)));
      for (let round = 0; round < ROUNDS; round++) {
        for (const toxic of Object.values(TOXICS)) {
          // Refused or not: it is not to hang, nor to leave anything behind.
          const used = useArtifact().catch(() => {});
          await proxies.disturb(pair, toxic, DISTURBED);
          await sleep(LEFT_ALONE);
          await used;
        }
      }
      expect((await outcomes).flatMap(({ findings }) => findings)).toEqual([]);
      await useArtifact();
    },
    WITHIN,
  );

  it(
    'that swallow all of the workers’ words beyond their lease let the trial go on later, once',
    async () => {
      const study = await fleet.client.studies.create(longStudy({ estimator: 'mean' }));
      await training(study);
      const trains = ({ pid }: FleetProcess) => trainingProcesses(pid).length > 0;
      const processes = fleet.workers.flatMap(({ pid }) => trainingProcesses(pid));
      const toxic: Toxic = { type: 'timeout', attributes: { timeout: 0 } };
      const swallowed = proxies.disturb(PAIRS.workerDatabase, toxic, 4 * LEASE_MS);
      // They know by their own clocks that they have lost it.
      await vi.waitUntil(() => !fleet.workers.some(trains), PATIENCE);
      expect(processes.length).toBeGreaterThan(0);
      await swallowed;
      const { outerStepsDone } = await study.trial();
      await vi.waitUntil(async () => (await study.trial()).outerStepsDone > outerStepsDone + 3, PATIENCE);
      expect(await study.trial()).toMatchObject({ attempts: 2, crashes: 0 });
      const indices = (await Array.fromAsync(study.outerSteps())).map(({ index }) => index);
      expect(indices).toEqual(indices.map((_, i) => i + 1));
      await study.cancel();
    },
    WITHIN,
  );
});
