/**
 * Program: licences and bill of materials of a program that npm has installed, with Node and the native runtime beside it.
 *
 *   node packages.ts LOCKFILE FOLDER OUT
 *
 * FOLDER has `node_modules` as LOCKFILE says, `native/NAME-VERSION-…` with the licences of native runtimes, and with CUDA
 * `native/nvidia` with a file PACKAGE-VERSION-LICENCE of each of NVIDIA's packages; OUT gets the texts and `sbom.cdx.json`.
 * (`npm sbom` makes none where development dependencies are left out.)
 */

import { randomUUID } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Component, licensed, writeBom } from './cyclonedx.ts';
import { copyLicence, copyOwnLicence, type Part } from './licences.ts';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string | { readonly type: string };
}

/** By the path of its folder. */
interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

const [lockFile = '', folder = '', out = ''] = process.argv.slice(2);
const { packages } = JSON.parse(readFileSync(lockFile, 'utf8')) as Lockfile;
copyOwnLicence(join(import.meta.dirname, '../LICENSE'), out);

/** As pip and npm write a sum, and as CycloneDX does. */
function hashesOf(name: string, version: string): Pick<Component, 'hashes'> {
  const locked = Object.entries(packages).find(
    ([path, one]) => path.endsWith(`node_modules/${name}`) && one.version === version,
  );
  const [, sum] = /^sha512-(\S+)/.exec(locked?.[1].integrity ?? '') ?? [];
  if (sum === undefined) return {};
  return { hashes: [{ alg: 'SHA-512', content: Buffer.from(sum, 'base64').toString('hex') }] };
}

const components = new Map<string, Component>();
for (const file of globSync('node_modules/**/package.json', { cwd: folder })) {
  const own = dirname(join(folder, file));
  const { name, version, license } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Manifest;
  // Others are of folders inside of packages, which say how their modules are to be read.
  if (name === undefined || version === undefined || !own.endsWith(`node_modules/${name}`)) continue;
  const licence = (typeof license === 'string' ? license : license?.type) ?? 'unknown';
  copyLicence({ name, version, licence, folder: own }, out);
  const ref = `${name}@${version}`;
  components.set(ref, {
    ...({ type: 'library', 'bom-ref': ref, name, version } as const),
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    ...licensed(licence),
    ...hashesOf(name, version),
  });
}

const node: Part = {
  ...{ name: 'node', version: process.versions.node, licence: 'MIT' },
  folder: dirname(dirname(process.execPath)),
};
/** Of native runtimes, by the names of their folders. */
const runtimes = globSync('native/*-*/', { cwd: folder }).map((runtime): Part => {
  const [, name = runtime, version = ''] = /^native.([a-z-]+)-(\d+\.\d+\.\d+)/.exec(runtime) ?? [];
  return { name, version, licence: 'Apache-2.0', folder: join(folder, runtime) };
});
const nvidia = globSync('nvidia_*-*-*', { cwd: join(folder, 'native/nvidia') }).map((file): Part => {
  const [name = '', version = ''] = file.split('-');
  return {
    ...{ name: name.replaceAll('_', '-'), version, licence: 'LicenseRef-NVIDIA-Proprietary' },
    ...{ folder: join(folder, 'native/nvidia'), text: file },
  };
});
for (const part of [node, ...runtimes, ...nvidia]) {
  const { name, version, licence } = part;
  copyLicence(part, out);
  const ref = `${name}@${version}`;
  components.set(ref, {
    ...({ type: 'platform', 'bom-ref': ref, name, version } as const),
    ...(part !== node && { purl: `pkg:pypi/${name}@${version}` }),
    ...licensed(licence),
  });
}
writeBom(join(out, 'sbom.cdx.json'), {
  ...{ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, serialNumber: `urn:uuid:${randomUUID()}` },
  components: [...components.values()],
});
