/**
 * Runs what deploy/compose/compose.yaml says, with the secrets that secrets.sh makes: a study through the SDK, a service that is
 * stopped, and the pages. Prints what was seen, as JSON. In namespaces of its own (../inside.ts).
 */

import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GlocalClient } from '@glocal/sdk';
import { execa } from 'execa';
import { withoutSettings } from '../../support/environment.ts';
import { TestPostgres } from '../../support/postgres.ts';
import { quickStudy } from '../../support/studies.ts';
import { temporaryFolder } from '../../support/trainer.ts';
import { Cluster } from '../cluster/cluster.ts';
import { forward } from '../forward.ts';
import { composeFolder, readCompose, secretManifests, serviceManifests } from './services.ts';

await using folder = await temporaryFolder();
await cp(join(composeFolder, 'secrets.sh'), join(folder.path, 'secrets.sh'));
await execa('sh', [join(folder.path, 'secrets.sh')]);
const secret = (name: string) => readFileSync(join(folder.path, 'secrets', name), 'utf8').trim();

await using postgres = await TestPostgres.start();
await postgres.run(`ALTER USER glocal PASSWORD '${secret('postgres-password')}'`);
const url = postgres.url('postgres', { password: secret('postgres-password') });
await postgres.run('CREATE DATABASE glocal', url);

const compose = readCompose();
await using cluster = await Cluster.create(folder.path, 'glocal');
await using _database = await forward(`${cluster.network.machine}:5432`, `127.0.0.1:${postgres.port}`);
cluster.network.name('postgres', [cluster.network.machine]);
await cluster.apply(secretManifests(compose, join(folder.path, 'secrets')));
const { postgres: _postgres, ...services } = compose.services;
for (const [name, service] of Object.entries(services)) await cluster.apply(serviceManifests(name, service));
await cluster.settled();

const at = (name: string, port: number) => `${cluster.pods(name)[0]?.address}:${port}`;
const ca = secret('ca.pem');
await using client = await GlocalClient.connect({
  address: at('server', 50061),
  tls: { ca, serverName: 'localhost' },
  token: secret('token'),
});
// As docs/operations.md has it, but for the address.
const doctor = await execa(
  process.execPath,
  [
    ...[
      fileURLToPath(import.meta.resolve('@glocal/cli/main')),
      'doctor',
      '--address',
      at('server', 50061),
      '--json',
    ],
    ...['--tls-ca', 'secrets/ca.pem', '--token-file', 'secrets/token', '--tls-server-name', 'localhost'],
  ],
  { cwd: folder.path, reject: false, env: withoutSettings() },
);
const study = await client.studies.create(quickStudy({ outerSteps: 40 }));
while ((await study.trial()).outerStepsDone < 3) await sleep(50);
const [worker] = cluster.pods('worker');
cluster.restart('worker');
const result = await study.result();
await cluster.settled();

const page = Promise.withResolvers<number | undefined>();
const [host, port] = at('dashboard', 8090).split(':');
request(
  { host, port, path: '/', ca, servername: 'localhost', headers: { host: `localhost:${port}` } },
  (response) => {
    response.resume();
    page.resolve(response.statusCode);
  },
)
  .on('error', page.reject)
  .end();

console.log(
  JSON.stringify({
    state: result.state,
    doctor: `${doctor.exitCode} ${doctor.stdout} ${doctor.stderr}`,
    outerSteps: (await study.trial()).outerStepsDone,
    attempts: (await study.trial()).attempts,
    caller: (await client.serverInfo()).caller,
    page: await page.promise,
    stopped: worker?.terminating,
    restarts: Object.keys(services).map((name) => cluster.pods(name)[0]?.restarts),
  }),
);
process.exit(0);
