/**
 * Runs what the chart says (values.yaml): its containers as processes of this machine, a real PostgreSQL with TLS, clients with mutual TLS
 * and a token. Rolls the fleet out anew and evicts pods while it works, and accounts for everything. Prints that as JSON. In namespaces
 * of its own (../inside.ts).
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { Random } from '../../faults/random.ts';
import { undisturbed } from '../../scale/ended.ts';
import { scaleStudy } from '../../scale/study.ts';
import { Installation, SERVERS, say } from '../installation.ts';
import { parseManifests } from '../objects.ts';
import { OUTER_STEPS, SEEDS, workWhile } from './disturb.ts';
import { rotate } from './rotate.ts';

const SEED = 16;
const WORKERS = 'glocal-worker';

const command = new Command()
  .requiredOption('--manifests <file>', 'the chart as it is rendered')
  .option('--rollouts <n>', 'of all pods', Number, 1)
  .option('--evictions <n>', 'of a pod', Number, 2)
  .option('--losses <n>', 'of a pod with its machine', Number, 1);
command.parse();
const { manifests, rollouts, evictions, losses } = command.opts();

say('a study that nobody disturbs');
const expected = await undisturbed(scaleStudy(SEEDS, OUTER_STEPS));
await using installed = await Installation.begin();
const { cluster, keys } = installed;

say('the manifests, before there are Secrets');
await cluster.apply(parseManifests(readFileSync(manifests, 'utf8')));
const waiting = await installed.waiting();
const readySeconds = await installed.settle();
say(`all pods are ready after ${readySeconds.toFixed(0)} s`);

await using client = await installed.connect();
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
const rotated = await rotate(cluster, installed.address, keys);
console.log(
  JSON.stringify({
    waiting,
    readySeconds,
    caller,
    rotated,
    rollouts,
    evictions,
    losses,
    unclean: installed.unclean,
    ...account,
  }),
);
process.exit(0);
