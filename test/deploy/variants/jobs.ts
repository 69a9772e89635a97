/**
 * A Job for each trial that waits, made as KEDA makes them: their pods are evicted and lost with their machine while they train; one
 * Job finds nothing to do, and the trial of one fails. Prints what was seen, as JSON.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { undisturbed } from '../../scale/ended.ts';
import { scaleStudy } from '../../scale/study.ts';
import type { Job } from '../cluster/job.ts';
import type { Pod } from '../cluster/pod.ts';
import type { ScaledJob } from '../cluster/scaled-job.ts';
import { contentOf } from '../cluster/volumes.ts';
import { OUTER_STEPS, SEEDS, workWhile } from '../fleet/disturb.ts';
import { Installation, say } from '../installation.ts';
import { parseManifests } from '../objects.ts';

const DATABASE = 'postgres.databases.svc';
const WORKERS = 'glocal-worker';
const LOOK_MS = 100;

const command = new Command()
  .requiredOption('--manifests <file>', 'the chart as it is rendered')
  .requiredOption('--failing <file>', 'the same, with workers whose trials fail');
command.parse();
const read = (file: string) => parseManifests(readFileSync(file, 'utf8'));
const { manifests, failing } = command.opts();

const expected = await undisturbed(scaleStudy(SEEDS, OUTER_STEPS));
await using installed = await Installation.begin(DATABASE);
const { cluster, postgres } = installed;
await cluster.apply(read(manifests));
await installed.settle();
await using client = await installed.connect();
const scaled = cluster.scaledJob(WORKERS);

/** How many trials wait, by the query and the connection that the trigger has. */
async function waiting({ trigger: { metadata, authentication } }: ScaledJob): Promise<number> {
  const { secretTargetRef } = cluster.object('TriggerAuthentication', authentication).spec;
  const secrets = (secretTargetRef as { parameter: string; name: string; key: string }[]).map(
    ({ parameter, name, key }) => [parameter, contentOf(cluster.object('Secret', name)).get(key)?.toString()],
  );
  const all: Readonly<Record<string, string>> = { ...metadata, ...Object.fromEntries(secrets) };
  const { query, host, port, dbName, userName: user, password } = all;
  if (`${host}:${port}` !== `${DATABASE}:5432`) throw new Error(`KEDA would ask ${host}:${port}`);
  const url = postgres.url(dbName, { ...(user && { user }), ...(password && { password }) });
  const [row = {}] = await postgres.run(query ?? '', url);
  return Number(Object.values(row)[0]);
}

let scaling = true;
async function scale(): Promise<void> {
  for (; scaling; await sleep(scaled.pollingSeconds * 1_000)) {
    for (const job of scaled.scale(await waiting(scaled))) {
      say(`a Job: ${job.name}`);
      cluster.run(job);
    }
  }
}

/** A pod that has a trial: names of workers begin with those of their pods. */
async function atWork(): Promise<Pod> {
  for (;;) {
    const claims = await postgres.run('SELECT worker FROM glocal.claims', postgres.url('glocal'));
    const pod = scaled.pods.find(
      ({ name, ready }) => ready && claims.some(({ worker }) => String(worker).startsWith(`${name}-`)),
    );
    if (pod !== undefined) return pod;
    await sleep(LOOK_MS);
  }
}

const ended = async (job: Job): Promise<void> => {
  while (job.state === 'running') await sleep(LOOK_MS);
};

const scales = scale();
const account = await workWhile(client, expected, async () => {
  for (const act of ['evict', 'vanish'] as const) {
    const pod = await atWork();
    say(`${act} ${pod.name}`);
    await cluster[act](pod);
  }
});
await Promise.all(scaled.jobs.map(ended));
const during = scaled.jobs.map(({ state, ends }) => ({ state, ends }));

say('a Job without work');
const idle = scaled.create();
cluster.run(idle);
await ended(idle);

say('a trial that fails');
await cluster.apply(read(failing));
await cluster.settled();
const before = scaled.jobs.length;
const study = await client.studies.create(scaleStudy(1, OUTER_STEPS));
while ((await study.refresh()).state !== 'FAILED') await sleep(LOOK_MS);
scaling = false;
await Promise.all([scales, ...scaled.jobs.map(ended)]);
const [failed] = scaled.jobs.slice(before);

const shown = (job: Job | undefined) => job && { state: job.state, codes: job.ends.map(({ code }) => code) };
console.log(
  JSON.stringify({
    ...account,
    jobs: during,
    idle: shown(idle),
    failed: shown(failed),
    unclean: installed.unclean,
  }),
);
process.exit(0);
