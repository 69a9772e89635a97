/** The images: built as `deploy/images/README.md` says, on stand-ins of their base images, and run together. */

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GlocalClient } from '@glocal/sdk';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadAddress } from '../support/ports.ts';
import { quickStudy } from '../support/studies.ts';
import { Container } from './container.ts';
import { addedMegabytes, buildImage, IMAGES, type ImageName, tagOf, whyNoImages } from './images.ts';

const why = await whyNoImages();
const cleanUp = new AsyncDisposableStack();
/** Root folders of the images. */
const folders = new Map<ImageName, string>();

const folderOf = (image: ImageName): string => folders.get(image) as string;
const files = (image: ImageName): string[] =>
  globSync('{bin,sbin,lib,opt,usr,var,licenses}/**/*', { cwd: folderOf(image) });

describe.skipIf(why !== undefined)(`images${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  beforeAll(async () => {
    for (const image of IMAGES) {
      await buildImage(image);
      const { stdout } = await execa('podman', ['image', 'mount', tagOf(image)]);
      cleanUp.defer(async () => void (await execa('podman', ['image', 'unmount', tagOf(image)])));
      folders.set(image, stdout);
    }
  }, 3_600_000);
  afterAll(() => cleanUp.disposeAsync());

  it.each(IMAGES)(
    '%s says who it runs as, how it is asked for its health, and what is inside',
    async (image) => {
      const { stdout } = await execa('podman', ['image', 'inspect', tagOf(image)]);
      const [{ Config, User, HealthCheck }] = JSON.parse(stdout);
      expect(User).toBe('65532:65532');
      expect(HealthCheck ?? Config.Healthcheck).toMatchObject({ Test: expect.arrayContaining(['CMD']) });
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
    await using dmd = await Container.start('glocal-dmd', { args: ['serve', '--listen', dmdAddress] });
    await dmd.says(/listening on/);
    await using trainer = await Container.start('glocal-trainer', {
      args: ['--listen', address, '--dmd-address', dmdAddress],
    });
    await trainer.says(/listening on/);
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
