/**
 * What stands in for base images where no registry can be reached. The base of the finished images is what distroless images
 * are: a few of Debian's packages unpacked, without a shell. What they are built in is this machine itself, read-only.
 */

import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { root } from '../../scripts/root.ts';
import { cache } from './folders.ts';

/** As in `gcr.io/distroless/cc-debian12`, but for libssl, which nothing here needs, and libgomp. */
const PACKAGES = [
  ...['base-files', 'netbase', 'tzdata', 'ca-certificates'],
  ...['libc6', 'libgcc-s1', 'libstdc++6', 'gcc-12-base'],
];
export const BASE = 'localhost/glocal-stand-in/base';
const BUILDER = 'localhost/glocal-stand-in/builder';
const UID = 65_532;
/** Of who builds, inside. */
const HOME = '/root';
/** Of the machine, in which images are built. */
const OWN = ['/usr', '/etc/ssl', '/etc/alternatives'];
/** Of the user, that builds take from and add to. */
const SHARED = ['.cargo', '.rustup', '.npm'];
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Makes both images, unless they are there. */
export async function ensureStandIns(): Promise<void> {
  if (!(await exists(BASE))) await makeBase();
  if (!(await exists(BUILDER))) await makeBuilder();
}

const exists = async (image: string): Promise<boolean> =>
  !(await execa('buildah', ['inspect', '--type', 'image', image], { reject: false })).failed;

async function makeBase(): Promise<void> {
  const packages = join(cache, 'packages');
  const folder = join(cache, 'base');
  await rm(folder, { recursive: true, force: true });
  for (const one of [packages, ...['tmp', 'proc', 'sys', 'dev', 'run'].map((name) => join(folder, name))])
    await mkdir(one, { recursive: true });
  await execa('apt-get', ['download', ...PACKAGES], { cwd: packages });
  for (const name of await readdir(packages)) await execa('dpkg-deb', ['-x', join(packages, name), folder]);

  const roots = join(folder, 'usr/share/ca-certificates/mozilla');
  const texts = await Promise.all((await readdir(roots)).map((name) => readFile(join(roots, name), 'utf8')));
  await mkdir(join(folder, dirname(CERTIFICATES)), { recursive: true });
  await writeFile(join(folder, CERTIFICATES), texts.join(''));
  const user = (name: string, id: number, home: string) =>
    `${name}:x:${id}:${id}:${name}:${home}:/sbin/nologin\n`;
  await writeFile(
    join(folder, 'etc/passwd'),
    user('root', 0, '/root') + user('nonroot', UID, '/home/nonroot'),
  );
  await writeFile(join(folder, 'etc/group'), `root:x:0:\nnonroot:x:${UID}:\n`);
  await mkdir(join(folder, 'home/nonroot'), { recursive: true });
  await chown(join(folder, 'home/nonroot'), UID, UID);
  await chmod(join(folder, 'tmp'), 0o1777);
  await commit(folder, BASE, ['--user', `${UID}:${UID}`, '--env', 'PATH=/usr/bin:/bin']);
}

/** Empty but for the places where {@link builderVolumes} come. */
async function makeBuilder(): Promise<void> {
  const folder = join(cache, 'builder');
  await rm(folder, { recursive: true, force: true });
  const places = ['tmp', 'var/tmp', 'src', 'opt/node', 'dev', 'proc', 'sys', 'etc', `${HOME}/.cache/glocal`];
  for (const name of [...places, ...OWN, ...SHARED.map((shared) => join(HOME, shared))])
    await mkdir(join(folder, name), { recursive: true });
  for (const name of ['tmp', 'var/tmp']) await chmod(join(folder, name), 0o1777);
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(folder, name));
  const path = ['/opt/node/bin', `${HOME}/.cargo/bin`, '/usr/local/bin', '/usr/sbin', '/usr/bin'].join(':');
  const roots = ['NODE_EXTRA_CA_CERTS', 'PIP_CERT', 'SSL_CERT_FILE', 'npm_config_cafile'];
  const variables = [
    ...[`HOME=${HOME}`, `PATH=${path}`, 'npm_config_prefer_offline=true'],
    ...roots.map((name) => `${name}=${CERTIFICATES}`),
  ];
  await commit(
    folder,
    BUILDER,
    variables.flatMap((variable) => ['--env', variable]),
  );
}

async function commit(folder: string, image: string, settings: readonly string[]): Promise<void> {
  const { stdout: container } = await execa('buildah', ['from', 'scratch']);
  await execa('buildah', ['add', '--quiet', container, folder, '/']);
  await execa('buildah', ['config', ...settings, container]);
  await execa('buildah', ['commit', '--quiet', '--rm', container, image]);
}

/** Arguments of `buildah build` that put the stand-ins in place of what a Containerfile names. */
export async function standInArguments(): Promise<string[]> {
  const target = join(cache, 'target');
  const runtimes = join(cache, 'runtimes');
  for (const folder of [target, runtimes, ...SHARED.map((name) => join(homedir(), name))])
    await mkdir(folder, { recursive: true });
  const node = dirname(dirname(process.execPath));
  const volumes = [
    ...OWN.filter((folder) => existsSync(folder)).map((folder) => `${folder}:${folder}:ro`),
    ...[`${node}:/opt/node:ro`, `${target}:/src/target`, `${runtimes}:${HOME}/.cache/glocal`],
    ...SHARED.map((name) => `${join(homedir(), name)}:${HOME}/${name}`),
  ];
  return [
    ...['RUST_IMAGE', 'NODE_IMAGE'].flatMap((name) => ['--build-arg', `${name}=${BUILDER}`]),
    ...['--build-arg', `BASE_IMAGE=${BASE}`, '--pull-never'],
    ...volumes.flatMap((volume) => ['--volume', volume]),
    root,
  ];
}
