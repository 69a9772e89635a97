/** What the manifests say to the trainer and of its database, said to a real one. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { certificate } from '../support/certificates.ts';
import { withoutSettings } from '../support/environment.ts';
import { TEST_PASSWORD, TestPostgres } from '../support/postgres.ts';
import { quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';
import { MANIFESTS, readManifests } from './manifests.ts';
import { type EnvVar, podsOf } from './objects.ts';

const MAIN = fileURLToPath(import.meta.resolve('@glocal/trainer/main'));
const NOT_THERE = 69;

const containers = MANIFESTS.flatMap((name) =>
  podsOf(readManifests(name)).flatMap((pod) =>
    pod.containers
      .filter(({ image }) => image.startsWith('glocal-trainer'))
      .map(({ args = [], env = [] }) => [`${pod.of} of ${name}.yaml`, args, env] as const),
  ),
);

/** Variables with `$(NAME)` put in, as a kubelet does, Secrets given, and files below another folder. */
function environmentOf(env: readonly EnvVar[], folder: string): Record<string, string> {
  const given: Record<string, string> = { DB_HOST: '127.0.0.1', DB_PORT: '1' };
  for (const { name, value } of env) {
    const text = (value ?? given[name] ?? 'something').replaceAll(
      /\$\((\w+)\)/g,
      (_, used) => given[used] ?? '',
    );
    given[name] = text
      .replaceAll('/etc/glocal', `${folder}/etc`)
      .replaceAll('/var/lib/glocal', `${folder}/var`);
  }
  // No DMD service and no store of objects is there; what they are asked with is.
  return { ...given, AWS_REGION: given.GLOCAL_OBJECTS_REGION ?? '' };
}

/** A file for each that variables name. */
async function makeFiles(env: Readonly<Record<string, string>>, folder: string): Promise<void> {
  const { cert, key } = await certificate('localhost');
  const text = (path: string): string => {
    if (path.endsWith('.key')) return key;
    if (path.endsWith('.crt')) return cert;
    return path.endsWith('tokens') ? `${'0'.repeat(64)} ada write\n` : 'secret\n';
  };
  const named = Object.values(env).flatMap(
    (value) => value.match(new RegExp(`${folder}/etc/[\\w./-]+`, 'g')) ?? [],
  );
  for (const path of named) {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text(path));
  }
  for (const place of ['data', 'models', 'problems'])
    await mkdir(join(folder, 'var', place), { recursive: true });
}

it.each(containers)(
  'the settings of %s are right, so that only what they reach for is missing',
  async (_, args, said) => {
    await using folder = await temporaryFolder();
    const env = environmentOf(said, folder.path);
    await makeFiles(env, folder.path);
    const { exitCode, stdout, stderr } = await execa(process.execPath, [MAIN, 'check', ...args], {
      env: { ...process.env, ...withoutSettings(), ...env },
      extendEnv: false,
      reject: false,
    });
    expect(stderr).toMatch(/DMD service/);
    expect(exitCode).toBe(NOT_THERE);
    const settings = Object.keys(env).filter(
      (name) => name.startsWith('GLOCAL_') && name !== 'GLOCAL_DATA_DIR',
    );
    const unread = settings.filter((name) => {
      const key = name.replace('GLOCAL_', '').toLowerCase();
      return !new RegExp(`^${key} = .*\\(variable\\)$`, 'm').test(stdout);
    });
    expect(unread).toEqual([]);
  },
  120_000,
);

it('KEDA is told how many trials wait, by the query that the manifest has', async () => {
  const scaled = readManifests('jobs').find(({ kind }) => kind === 'ScaledJob');
  const query = scaled?.spec.triggers[0].metadata.query;
  await using cleanUp = new AsyncDisposableStack();
  const postgres = cleanUp.use(await TestPostgres.start());
  const folder = cleanUp.use(await temporaryFolder());
  const password = join(folder.path, 'password');
  await writeFile(password, TEST_PASSWORD);
  const url = await postgres.newDatabase();
  const database = new URL(url).pathname.slice(1);
  const args = ['--role', 'server', '--store-password-file', password, '--store-dir', folder.path];
  const { client } = cleanUp.use(
    await TestTrainer.start({ store: postgres.url(database, { password: '' }), args }),
  );
  const waiting = async () => {
    const [row = {}] = await postgres.run(query, url);
    return Number(Object.values(row)[0]);
  };
  expect(await waiting()).toBe(0);
  await client.studies.create(quickStudy({ seeds: [1, 2, 3] }));
  const study = await client.studies.create(quickStudy({ seeds: [4, 5] }));
  expect(await waiting()).toBe(5);
  await study.pause();
  expect(await waiting()).toBe(3);
}, 120_000);
