/** The images: built as `deploy/images/README.md` says, on stand-ins of their base images, and run together. */

import { globSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { GlocalClient, type Study } from '@glocal/sdk';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deadAddress } from '../support/ports.ts';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { trajectoryOf } from '../support/trajectory.ts';
import { Container, Volume } from './container.ts';
import {
  addedMegabytes,
  buildImage,
  GPU_IMAGE,
  IMAGES,
  type ImageName,
  tagOf,
  whyNoImages,
} from './images.ts';

/** So many that a trial is in the middle while it is disturbed. */
const OUTER_STEPS = 100;
const WAIT = { timeout: 120_000, interval: 10 };

const why = await whyNoImages();
const cleanUp = new AsyncDisposableStack();
/** Root folders of the images. */
const folders = new Map<ImageName, string>();

const folderOf = (image: ImageName): string => folders.get(image) as string;
/** What is in an image where programs and packages are, but for folders. */
const files = (image: ImageName): string[] =>
  globSync('{bin,sbin,lib,opt,usr,var,licenses}/**/*', { cwd: folderOf(image), withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folderOf(image), join(entry.parentPath, entry.name)));

/** A DMD service that listens. */
async function startDmd(listen: string): Promise<Container> {
  const dmd = await Container.start('glocal-dmd', { args: ['serve', '--listen', listen] });
  await dmd.says(/listening on/);
  return dmd;
}

/** A trainer that listens, and keeps what it has in the volume. */
async function startTrainer(
  listen: string,
  dmdAddress: string,
  { image = 'glocal-trainer', volume }: { image?: ImageName; volume?: Volume | undefined } = {},
): Promise<Container> {
  const args = ['--listen', listen, '--dmd-address', dmdAddress];
  const trainer = await Container.start(image, { args, volume });
  await trainer.says(/listening on/);
  return trainer;
}

const hasDone = (study: Study<QuickSpace>, outerSteps: number) =>
  vi.waitUntil(async () => (await study.trial()).outerStepsDone >= outerSteps, WAIT);

const outerStepsOf = async (study: Study<QuickSpace>) =>
  trajectoryOf(await Array.fromAsync(study.outerSteps({ includeWindows: true })));

afterAll(() => cleanUp.disposeAsync());

describe.skipIf(why !== undefined)(`images${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  beforeAll(async () => {
    for (const image of IMAGES) {
      await buildImage(image);
      const { stdout } = await execa('podman', ['image', 'mount', tagOf(image)]);
      cleanUp.defer(async () => void (await execa('podman', ['image', 'unmount', tagOf(image)])));
      folders.set(image, stdout);
    }
  }, 3_600_000);

  it.each(IMAGES)(
    '%s says who it runs as, how it is asked for its health, and what is inside',
    async (image) => {
      const { stdout } = await execa('podman', ['image', 'inspect', tagOf(image)]);
      const [{ Config, User, Healthcheck }] = JSON.parse(stdout);
      expect(User).toBe('65532:65532');
      expect(Healthcheck).toMatchObject({ Test: expect.arrayContaining(['CMD']) });
      expect(Config.Labels).toMatchObject({
        'org.opencontainers.image.title': image,
        'org.opencontainers.image.licenses': 'Apache-2.0',
        'org.opencontainers.image.version': '0.1.0',
      });
    },
  );

  it.each(IMAGES)('%s has no shell, no package manager and no Python', (image) => {
    const programs = /^(ba|da|z|c|k|fi)?sh$|^busybox|^python|^perl|^(apt|apt-get|dpkg|npm|npx|pip3?)$/;
    expect(files(image).filter((file) => programs.test(basename(file)))).toEqual([]);
    // The glob reaches programs at all.
    expect(files(image).some((file) => /^usr\/bin\/(node|glocal-dmd)$/.test(file))).toBe(true);
  });

  it.each(IMAGES)('%s has a bill of materials, and a licence for each thing on it', (image) => {
    const folder = join(folderOf(image), 'licenses');
    const bom = JSON.parse(readFileSync(join(folder, 'sbom.cdx.json'), 'utf8'));
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: expect.stringMatching(/^1\.\d$/) });
    const parts: string[] = bom.components.map(
      ({ group, name, version }: { group?: string; name: string; version: string }) =>
        `${group === undefined ? '' : `${group}/`}${name}@${version}`,
    );
    expect(parts.length).toBeGreaterThan(20);
    expect(parts.filter((part) => globSync('*', { cwd: join(folder, part) }).length === 0)).toEqual([]);
    expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toContain('Apache License');
  });

  it.each(['glocal-trainer', 'glocal-dashboard'] as const)('%s lists each package that it has', (image) => {
    const installed = globSync('opt/glocal/**/node_modules/{*,@*/*}/package.json', { cwd: folderOf(image) })
      .map((file) => JSON.parse(readFileSync(join(folderOf(image), file), 'utf8')))
      .map(({ name, version }) => `${name}@${version}`)
      .filter((name) => !name.startsWith('@glocal/'));
    const bom = JSON.parse(readFileSync(join(folderOf(image), 'licenses/sbom.cdx.json'), 'utf8'));
    const listed = new Set(bom.components.map((one: { 'bom-ref': string }) => one['bom-ref']));
    expect(installed.length).toBeGreaterThan(20);
    expect(installed.filter((name) => !listed.has(name))).toEqual([]);
  });

  it('train a study together, each with a root folder that it cannot change', async () => {
    const [dmdAddress, address, page] = [await deadAddress(), await deadAddress(), await deadAddress()];
    await using dmd = await startDmd(dmdAddress);
    await using trainer = await startTrainer(address, dmdAddress);
    await using dashboard = await Container.start('glocal-dashboard', {
      env: { GLOCAL_ADDRESS: address, GLOCAL_DASHBOARD_LISTEN: page },
    });
    await dashboard.says(/dashboard at/);

    await using client = new GlocalClient({ address });
    expect(await client.serverInfo()).toMatchObject({
      backend: expect.stringContaining('native TensorFlow'),
    });
    const study = await client.studies.create(quickStudy());
    expect(await study.result({ schedules: false }), trainer.log).toMatchObject({ state: 'COMPLETED' });
    expect((await fetch(`http://${page}/`)).status).toBe(200);
    // The command line in the dashboard's image, of which the server's address is a variable.
    const list = await dashboard.exec('/usr/bin/glocal', 'study', 'list', '--json');
    expect(JSON.parse(list.stdout)).toMatchObject([{ name: study.name, state: 'COMPLETED' }]);

    const check = await trainer.exec('/usr/bin/glocal-trainer', 'check', '--address', address);
    expect(check).toMatchObject({ exitCode: 0, stdout: 'SERVING' });
    expect(await dmd.exec('/usr/bin/glocal-dmd', 'check', '--address', dmdAddress)).toMatchObject({
      exitCode: 0,
      stdout: 'SERVING',
    });
    // Its settings are variables, which the check reads as the server did.
    expect((await dashboard.healthcheck()).exitCode).toBe(0);
    expect((await trainer.exec('/bin/sh', '-c', 'true')).exitCode).not.toBe(0);

    const who = await trainer.exec(
      '/usr/bin/node',
      '--eval',
      `console.log(process.getuid(), process.getgid());
       try { fs.writeFileSync('/opt/glocal/changed', '') } catch (error) { console.log(error.code) }`,
    );
    expect(who.stdout.split('\n')).toEqual(['65532 65532', 'EROFS']);
    expect([await dashboard.stop(), await trainer.stop(), await dmd.stop()]).toEqual([0, 0, 0]);
  }, 600_000);

  it('lose nothing of a study when one is told to end in the middle of it, and another takes its place', async () => {
    const spec = quickStudy({ outerSteps: OUTER_STEPS });
    const [dmdAddress, address] = [await deadAddress(), await deadAddress()];
    await using volume = new Volume();
    await using client = new GlocalClient({ address });
    await using dmd = await startDmd(dmdAddress);
    await using trainer = await startTrainer(address, dmdAddress, { volume });
    const undisturbed = await client.studies.create(spec);
    await undisturbed.result();

    // The trainer: its checkpoints are in the volume, and what follows is the same, bit for bit.
    const handedOn = await client.studies.create(spec);
    await hasDone(handedOn, 3);
    expect(await trainer.stop(), trainer.log).toBe(0);
    await using second = await startTrainer(address, dmdAddress, { volume });
    expect((await handedOn.trial()).outerStepsDone).toBeLessThan(OUTER_STEPS);
    expect(await handedOn.result(), second.log).toMatchObject({ state: 'COMPLETED' });
    const trial = await handedOn.trial();
    expect(trial.crashes).toBe(0);
    expect(trial.stateReason).not.toContain('trained again');
    expect(await outerStepsOf(handedOn)).toEqual(await outerStepsOf(undisturbed));

    // The DMD service: updates without a report use the local hypergradient.
    const without = await client.studies.create(spec);
    await hasDone(without, 3);
    expect(await dmd.stop(), dmd.log).toBe(0);
    expect((await without.trial()).outerStepsDone).toBeLessThan(OUTER_STEPS);
    await using secondDmd = await startDmd(dmdAddress);
    expect(await without.result(), second.log).toMatchObject({ state: 'COMPLETED' });
    const indices = (await outerStepsOf(without)).map(({ index }) => index);
    expect(indices).toEqual(Array.from({ length: OUTER_STEPS }, (_, i) => i + 1));
    expect([await second.stop(), await secondDmd.stop()]).toEqual([0, 0]);
  }, 600_000);

  it('fetch nothing when they start: without a network the trainer is alive with its native runtime', async () => {
    await using trainer = await Container.start('glocal-trainer', {
      args: ['--dmd-address', '127.0.0.1:50062'],
      network: 'none',
    });
    await trainer.says(/listening on/);
    const alive = ['check', '--address', '127.0.0.1:50061', '--service', ''];
    expect(await trainer.exec('/usr/bin/glocal-trainer', ...alive)).toMatchObject({ stdout: 'SERVING' });
    // The image's own check asks for readiness: there is no DMD service.
    expect((await trainer.healthcheck()).exitCode).not.toBe(0);
    const settings = await trainer.exec('/usr/bin/glocal-trainer', 'check', '--store', 'memory:');
    expect(settings.all).toMatch(/backend \(native TensorFlow/);
  }, 300_000);

  it.each([
    ['glocal-dmd', 30],
    ['glocal-trainer', 500],
  ] as const)(
    '%s adds less than %d MB to its base',
    async (image, most) => {
      expect(await addedMegabytes(image)).toBeLessThan(most);
    },
    900_000,
  );
});

const whyNoGpuImage =
  why ??
  (process.env.GLOCAL_TEST_GPU_IMAGE ? undefined : 'GLOCAL_TEST_GPU_IMAGE=1 asks for it: 3.3 GB from PyPI');

describe.skipIf(whyNoGpuImage !== undefined)(
  `the image for GPUs${whyNoGpuImage === undefined ? '' : ` (skipped: ${whyNoGpuImage})`}`,
  () => {
    beforeAll(() => buildImage(GPU_IMAGE), 3_600_000);

    it('trains where there is no GPU, and says so', async () => {
      const [dmdAddress, address] = [await deadAddress(), await deadAddress()];
      await using dmd = await startDmd(dmdAddress);
      await using trainer = await startTrainer(address, dmdAddress, { image: GPU_IMAGE });
      await using client = new GlocalClient({ address });
      expect(await client.serverInfo()).toMatchObject({
        backend: expect.stringContaining('(CUDA without a GPU, oneDNN)'),
      });
      const study = await client.studies.create(quickStudy());
      expect(await study.result({ schedules: false }), trainer.log).toMatchObject({ state: 'COMPLETED' });
      expect([await trainer.stop(), await dmd.stop()]).toEqual([0, 0]);
    }, 600_000);

    it('has the licences of what NVIDIA has made', async () => {
      const { stdout: folder } = await execa('podman', ['image', 'mount', tagOf(GPU_IMAGE)]);
      cleanUp.defer(async () => void (await execa('podman', ['image', 'unmount', tagOf(GPU_IMAGE)])));
      const bom = JSON.parse(readFileSync(join(folder, 'licenses/sbom.cdx.json'), 'utf8'));
      const packages: string[] = bom.components
        .map(({ 'bom-ref': ref }: { 'bom-ref': string }) => ref)
        .filter((ref: string) => ref.startsWith('nvidia-'));
      expect(packages.length).toBeGreaterThan(8);
      for (const name of packages)
        expect(globSync('*', { cwd: join(folder, 'licenses', name) }), name).not.toEqual([]);
    });
  },
);
