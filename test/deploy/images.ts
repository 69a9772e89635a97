/** The images of `deploy/images`, built on this machine without a daemon, and what can be seen of them without running them. */

import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { root } from '../../scripts/root.ts';
import { BASE, ensureStandIns, standInArguments } from './stand-ins.ts';

export const IMAGES = ['glocal-dmd', 'glocal-trainer', 'glocal-dashboard'] as const;
/** The trainer with the runtime for CUDA: 3.3 GB from PyPI, and 20 GB of disk while it is built. */
export const GPU_IMAGE = 'glocal-trainer-gpu';
export type ImageName = (typeof IMAGES)[number] | typeof GPU_IMAGE;

/** Those with a path are used in the stand-in for what images are built in, which has no others. */
const PROGRAMS = [
  ...['buildah', 'podman', 'apt-get', 'dpkg-deb', 'cargo'],
  ...['/usr/bin/pip3', '/usr/bin/c++', '/usr/bin/strip'],
];

/** Why images cannot be built here; undefined where they can. */
export async function whyNoImages(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'it needs root';
  for (const program of PROGRAMS) {
    const { failed } = await execa(program, ['--version'], { reject: false });
    if (failed) return `there is no ${program}`;
  }
  return undefined;
}

export const tagOf = (image: ImageName): string => `localhost/glocal-test/${image}`;

/** Builds an image, of which steps that have not changed are taken from before. */
export async function buildImage(image: ImageName): Promise<void> {
  const [file, args] =
    image === GPU_IMAGE ? ['glocal-trainer', ['--build-arg', 'RUNTIME=cuda']] : [image, []];
  await ensureStandIns();
  await execa(
    'buildah',
    [
      ...['build', '--isolation', 'chroot', '--format', 'docker', '--layers', ...args],
      ...['--file', join(root, 'deploy/images', `${file}.Containerfile`), '--tag', tagOf(image)],
      ...(await standInArguments()),
    ],
    { stdout: 'ignore' },
  );
}

interface Manifest {
  readonly layers: readonly { readonly size: number }[];
}

/** Compressed layers that an image has above its base, in MB: what a registry keeps, and a node downloads. */
export async function addedMegabytes(image: ImageName): Promise<number> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-image-'));
  const layersOf = async (tag: string, name: string): Promise<Manifest['layers']> => {
    const at = join(folder.path, name);
    await execa('buildah', ['push', '--quiet', tag, `oci:${at}`]);
    const blob = async (digest: string) =>
      JSON.parse(await readFile(join(at, 'blobs', digest.replace(':', '/')), 'utf8'));
    const index = JSON.parse(await readFile(join(at, 'index.json'), 'utf8')) as {
      readonly manifests: readonly [{ readonly digest: string }];
    };
    return ((await blob(index.manifests[0].digest)) as Manifest).layers;
  };
  const base = await layersOf(BASE, 'base');
  const all = await layersOf(tagOf(image), 'image');
  return all.slice(base.length).reduce((sum, { size }) => sum + size, 0) / 1e6;
}
