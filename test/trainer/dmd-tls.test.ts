/** A trainer with a DMD service elsewhere, which admits nobody without a certificate and a token. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificate } from '../support/certificates.ts';
import { startDmd } from '../support/dmd.ts';
import { trainingProcesses } from '../support/processes.ts';
import { longStudy, quickStudy, training } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const MAX_ROWS = 40;

const cleanUp = new AsyncDisposableStack();
let trainer: TestTrainer;
let connection: string[];

beforeAll(async () => {
  const { path } = cleanUp.use(await temporaryFolder());
  const authority = await certificate('authority.test');
  const ofServer = await certificate('dmd.test', authority);
  const ofClient = await certificate('client.test', authority);
  const file = async (name: string, text: string) => {
    await writeFile(join(path, name), text, { mode: 0o600 });
    return join(path, name);
  };
  const ca = await file('ca.pem', authority.cert);
  const dmd = await startDmd({
    args: [
      ...['--tls-certificate', await file('server.pem', ofServer.cert)],
      ...['--tls-key', await file('server.key', ofServer.key)],
      ...['--tls-client-ca', ca, '--token-file', await file('tokens', TOKEN)],
    ],
    env: { GLOCAL_DMD_LIMITS__MAX_ROWS: String(MAX_ROWS) },
  });
  cleanUp.defer(() => dmd.stop());
  connection = [
    ...['--dmd-address', dmd.address, '--dmd-tls-ca', ca, '--dmd-tls-domain', 'dmd.test'],
    ...['--dmd-tls-certificate', await file('client.pem', ofClient.cert)],
    ...['--dmd-tls-key', await file('client.key', ofClient.key)],
    ...['--dmd-token-file', await file('token', `# of the test\n${TOKEN}\n`), '--dmd-retry-seconds', '5'],
  ];
  trainer = cleanUp.use(await TestTrainer.start({ args: connection }));
});
afterAll(() => cleanUp.disposeAsync());

describe('a DMD service behind TLS, client certificates and a token', () => {
  it('is used by the training process', async () => {
    const study = await trainer.client.studies.create(quickStudy());
    expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
    const outerSteps = await Array.fromAsync(study.outerSteps());
    expect(outerSteps.map(({ verdict }) => typeof verdict)).toEqual(['string', 'string', 'string']);
  });

  it('tells the trainer its limits, which hold for studies', async () => {
    const { limits } = await trainer.client.serverInfo();
    expect(limits.maxWindowRows).toBe(MAX_ROWS);
    const spec = quickStudy();
    const tooLong = { ...spec, method: { ...spec.method, window: 100, sigma: MAX_ROWS + 1 } };
    await expect(trainer.client.studies.create(tooLong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('has its token in no log and on no command line', async () => {
    const study = await trainer.client.studies.create(longStudy());
    await training(study);
    expect(trainer.log.join('\n')).not.toContain(TOKEN);
    const commands = trainingProcesses(trainer.pid).map(({ command }) => command);
    expect(commands).toHaveLength(1);
    expect(commands.join()).not.toContain(TOKEN);
    await study.cancel();
  });

  it('keeps the trainer from starting with roots that are no certificates', async () => {
    const token = connection.find((arg) => arg.endsWith('token')) as string;
    const args = connection.map((arg, i) => (connection[i - 1] === '--dmd-tls-ca' ? token : arg));
    await expect(TestTrainer.start({ args })).rejects.toThrow(
      /exit code 69: .*token has no certificate in PEM form/,
    );
  });

  it('keeps the trainer from starting with a file that is not there, which is named', async () => {
    const args = connection.map((arg) => (arg.endsWith('token') ? '/nowhere/token' : arg));
    await expect(TestTrainer.start({ args })).rejects.toThrow(/exit code 69: .*'\/nowhere\/token'/);
  });
});
