/** Certificates, roots and tokens of a DMD service and of its callers, replaced while all of them run. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DmdServiceService } from '@glocal/proto/glocal/v1/dmd';
import { credentials } from '@grpc/grpc-js';
import { expect, it, vi } from 'vitest';
import { type Certificate, certificate } from '../support/certificates.ts';
import { startDmd } from '../support/dmd.ts';
import { Channel } from '../support/grpc.ts';
import { Relay } from '../support/relay.ts';
import { bearer } from '../support/security.ts';
import { quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const NAME = 'dmd.test';

/** All that one authority vouches for, and a token. */
interface Keys {
  readonly authority: Certificate;
  readonly service: Certificate;
  readonly caller: Certificate;
  readonly token: string;
}

async function makeKeys(token: string): Promise<Keys> {
  const authority = await certificate(`${token}.authority.test`);
  return {
    ...{ authority, token },
    service: await certificate(NAME, authority),
    caller: await certificate('caller.test', authority),
  };
}

/** Whether a caller with these keys is answered on a connection of its own; else why not. */
async function answer(address: string, { authority, caller, token }: Keys): Promise<string> {
  const pem = Buffer.from;
  const tls = credentials.createSsl(pem(authority.cert), pem(caller.key), pem(caller.cert));
  using channel = new Channel(address, tls, bearer(token), {
    'grpc.ssl_target_name_override': NAME,
    'grpc.use_local_subchannel_pool': 1,
  });
  try {
    await channel.unary(DmdServiceService.getDmdInfo, {});
    return 'answered';
  } catch (error) {
    return (error as Error).message;
  }
}

it('keys that are replaced hold for new connections, of the service and of the trainer, without a restart', async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { path } = cleanUp.use(await temporaryFolder());
  const [old, next] = [await makeKeys('old-token'), await makeKeys('new-token')];
  const file = (name: string) => join(path, name);
  const write = async (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) await writeFile(file(name), text);
  };
  const put = ({ authority, service, caller, token }: Keys) =>
    write({
      ...{ 'ca.pem': authority.cert, tokens: token, token },
      ...{ 'service.pem': service.cert, 'service.key': service.key },
      ...{ 'caller.pem': caller.cert, 'caller.key': caller.key },
    });
  await put(old);
  const dmd = await startDmd({
    args: [
      ...['--tls-certificate', file('service.pem'), '--tls-key', file('service.key')],
      ...['--tls-client-ca', file('ca.pem'), '--token-file', file('tokens')],
    ],
  });
  cleanUp.defer(() => dmd.stop());
  const relay = cleanUp.use(await Relay.start(dmd.address));
  const args = [
    ...['--dmd-address', relay.address, '--dmd-tls-domain', NAME, '--dmd-tls-ca', file('ca.pem')],
    ...['--dmd-tls-certificate', file('caller.pem'), '--dmd-tls-key', file('caller.key')],
    ...['--dmd-token-file', file('token')],
  ];
  const trainer = cleanUp.use(await TestTrainer.start({ args }));
  const train = async () => {
    const study = await trainer.client.studies.create({
      ...quickStudy(),
      method: { ...quickStudy().method, dmdAbsence: 'pause' },
    });
    return (await study.result()).state;
  };
  expect(await train()).toBe('COMPLETED');

  // As a kubelet may leave it for a moment: a certificate whose key is not there yet.
  await write({ 'service.pem': next.service.cert, 'caller.pem': next.caller.cert });
  relay.cut();
  const reachable = async () => (await trainer.client.serverInfo()).dmd?.reachable;
  await vi.waitUntil(reachable, { timeout: 30_000 });
  // A training process that begins now has nothing from before: the service is away for it, until the files are right.
  const waits = train();

  await put(next);
  await expect.poll(() => answer(dmd.address, next), { timeout: 30_000 }).toBe('answered');
  expect(await answer(dmd.address, old)).toMatch(/self-signed certificate|unable to verify|UNAVAILABLE/);
  expect(await answer(dmd.address, { ...next, token: old.token })).toMatch(/UNAUTHENTICATED/);
  // The connection of the server, which has run all the time, is one of new keys after this.
  relay.cut();
  await vi.waitUntil(reachable, { timeout: 30_000 });
  expect(await waits).toBe('COMPLETED');
  expect(await train()).toBe('COMPLETED');
  expect(trainer.log.join('\n')).not.toMatch(/does not accept the trainer/);
}, 180_000);
