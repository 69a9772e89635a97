/** One pod that does all, on SQLite on a claim: it is evicted and lost with its machine while it trains. Prints what was seen, as JSON. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { undisturbed } from '../../scale/ended.ts';
import { scaleStudy } from '../../scale/study.ts';
import { OUTER_STEPS, SEEDS, workWhile } from '../fleet/disturb.ts';
import { Installation, SERVERS, say } from '../installation.ts';
import { parseManifests } from '../objects.ts';

const AT_WORK_MS = 5_000;

const command = new Command().requiredOption('--manifests <file>', 'the chart as it is rendered');
command.parse();
const manifests = parseManifests(readFileSync(command.opts().manifests, 'utf8'));

const expected = await undisturbed(scaleStudy(SEEDS, OUTER_STEPS));
await using installed = await Installation.begin();
const { cluster } = installed;
await cluster.apply(manifests);
await installed.settle();
await using client = await installed.connect();
const account = await workWhile(client, expected, async () => {
  for (const act of ['evict', 'vanish'] as const) {
    await sleep(AT_WORK_MS);
    const [pod] = cluster.pods(SERVERS);
    if (pod === undefined) throw new Error('there is no pod');
    say(`${act} ${pod.name}`);
    await cluster[act](pod);
    await cluster.settled();
  }
  await sleep(AT_WORK_MS);
});
console.log(JSON.stringify({ ...account, unclean: installed.unclean }));
process.exit(0);
