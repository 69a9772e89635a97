/**
 * Runs what the chart says (values.yaml): its containers as processes of this machine, a real PostgreSQL with TLS, clients with mutual TLS
 * and a token. Rolls the fleet out anew and evicts pods while it works, and accounts for everything. Prints that as JSON. In namespaces
 * of its own (../inside.ts).
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { GlocalClient } from '@glocal/sdk';
import { Command } from 'commander';
import { Random } from '../../faults/random.ts';
import { undisturbed } from '../../scale/ended.ts';
import { scaleStudy } from '../../scale/study.ts';
import { TEST_PASSWORD, TestPostgres } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/trainer.ts';
import { Cluster } from '../cluster/cluster.ts';
import { parseManifests } from '../cluster/manifests.ts';
import { forward } from '../forward.ts';
import { OUTER_STEPS, SEEDS, workWhile } from './disturb.ts';
import { rotate } from './rotate.ts';
import { DATABASE, makeKeys, SERVER, secrets } from './secrets.ts';

const SEED = 16;
const [SERVERS, WORKERS] = ['glocal', 'glocal-worker'] as const;

const command = new Command()
  .requiredOption('--manifests <file>', 'the chart as it is rendered')
  .option('--rollouts <n>', 'of all pods', Number, 1)
  .option('--evictions <n>', 'of a pod', Number, 2)
  .option('--losses <n>', 'of a pod with its machine', Number, 1);
command.parse();
const { manifests, rollouts, evictions, losses } = command.opts();
const say = (what: string) => console.error(`${new Date().toISOString()} ${what}`);

say('a study that nobody disturbs');
const expected = await undisturbed(scaleStudy(SEEDS, OUTER_STEPS));
const keys = await makeKeys(TEST_PASSWORD);
await using folder = await temporaryFolder();
await using postgres = await TestPostgres.start({}, keys.database);
await postgres.run('CREATE DATABASE glocal');
await using cluster = await Cluster.create(folder.path, 'glocal');
const { network } = cluster;
await using _database = await forward(`${network.machine}:5432`, `127.0.0.1:${postgres.port}`);
network.name(DATABASE, [network.machine]);

say('the manifests, before there are Secrets');
await cluster.apply(parseManifests(readFileSync(manifests, 'utf8')));
let waiting = '';
for (; waiting === ''; await sleep(100)) waiting = cluster.pods(SERVERS)[0]?.waiting ?? '';
await cluster.apply(secrets(keys));
const startedAt = performance.now();
await cluster.settled();
const readySeconds = (performance.now() - startedAt) / 1_000;
say(`all pods are ready after ${readySeconds.toFixed(0)} s`);

const { authority, client: own, token } = keys;
await using client = await GlocalClient.connect({
  address: `${cluster.addressOf(SERVERS)}:50061`,
  tls: { ca: authority.cert, cert: own.cert, key: own.key, serverName: SERVER },
  token,
});
const { caller } = await client.serverInfo();

const random = new Random(SEED);
const account = await workWhile(client, expected, async () => {
  const acts = [
    ...Array<'rollout'>(rollouts).fill('rollout'),
    ...Array<'eviction'>(evictions).fill('eviction'),
    ...Array<'loss'>(losses).fill('loss'),
  ];
  for (let left = acts.length; left > 0; left -= 1) {
    const [act] = acts.splice(Math.floor(random.between(0, acts.length)), 1);
    await sleep(random.between(500, 5_000));
    const victim = random.oneOf([...cluster.pods(WORKERS), ...cluster.pods(SERVERS)]);
    say(`${act}${act === 'rollout' ? '' : ` of ${victim.name}`}`);
    if (act === 'rollout') for (const deployment of [SERVERS, WORKERS]) cluster.restart(deployment);
    if (act === 'eviction') await cluster.evict(victim);
    if (act === 'loss') await cluster.vanish(victim);
    await cluster.settled();
  }
});
say('accounted for');
const rotated = await rotate(cluster, `${cluster.addressOf(SERVERS)}:50061`, keys);
const unclean = cluster.log.filter((line) =>
  /killed, for it did not end|is not alive|has not started/.test(line),
);
console.log(
  JSON.stringify({
    waiting,
    readySeconds,
    caller,
    rotated,
    rollouts,
    evictions,
    losses,
    unclean,
    ...account,
  }),
);
process.exit(0);
