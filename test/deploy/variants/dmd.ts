/**
 * DMD services of their own, with mutual TLS: their pods are evicted and rolled out anew, and all of their certificates replaced by
 * those of another authority, while servers and workers go on. Prints what was seen, as JSON.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { undisturbed } from '../../scale/ended.ts';
import { scaleStudy } from '../../scale/study.ts';
import { certificate } from '../../support/certificates.ts';
import { OUTER_STEPS, SEEDS, workWhile } from '../fleet/disturb.ts';
import { Installation, say } from '../installation.ts';
import { fingerprint, until } from '../look.ts';
import { parseManifests } from '../objects.ts';
import { DMD, makeDmdKeys, tlsSecret } from '../secrets.ts';

const DMDS = 'glocal-dmd';
const AT_WORK_MS = 3_000;

const command = new Command().requiredOption('--manifests <file>', 'the chart as it is rendered');
command.parse();
const manifests = parseManifests(readFileSync(command.opts().manifests, 'utf8'));

const expected = await undisturbed(scaleStudy(SEEDS, OUTER_STEPS));
await using installed = await Installation.begin();
const { cluster } = installed;
await cluster.apply(manifests);
await installed.settle();
await using client = await installed.connect();
const { dmd } = await client.serverInfo();

let rotated = false;
const account = await workWhile(client, expected, async () => {
  await sleep(AT_WORK_MS);
  const [pod] = cluster.pods(DMDS);
  if (pod === undefined) throw new Error('there is no pod');
  say(`evict ${pod.name}`);
  await cluster.evict(pod);
  await cluster.settled();

  say('another authority for the DMD service and its callers');
  const authority = await certificate('another.example');
  const keys = await makeDmdKeys(authority);
  const shownBy = async (address: string): Promise<string> =>
    fingerprint(`${address}:50062`, { ca: authority.cert, ...keys.dmdClient, servername: DMD }).catch(String);
  await cluster.apply([
    tlsSecret('glocal-dmd-tls', keys.dmd, authority),
    tlsSecret('glocal-dmd-client-tls', keys.dmdClient, authority),
  ]);
  rotated = await until(async () => {
    const shown = await Promise.all(cluster.pods(DMDS).map(({ address }) => shownBy(address)));
    return shown.every((each) => /^[\dA-F:]+$/.test(each));
  });
  await sleep(AT_WORK_MS);
  // Those who call have connections that are older; to new pods they need new ones.
  say('rollout');
  cluster.restart(DMDS);
  await cluster.settled();
  await sleep(AT_WORK_MS);
});
const reachable = (await client.serverInfo()).dmd?.reachable;
console.log(
  JSON.stringify({ ...account, before: dmd?.reachable, rotated, reachable, unclean: installed.unclean }),
);
process.exit(0);
