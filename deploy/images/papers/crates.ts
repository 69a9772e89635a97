/**
 * Program: licences and bill of materials of a Rust program.
 *
 *   node crates.ts PACKAGE METADATA SOURCES OUT
 *
 * METADATA is what `cargo metadata` prints, of the platform that the program was built for; SOURCES has a folder
 * NAME-VERSION for each crate from the registry; OUT gets the texts and `sbom.cdx.json`.
 */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Component, licensed, writeBom } from './cyclonedx.ts';
import { copyLicence, copyOwnLicence } from './licences.ts';

interface Package {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly license: string | null;
  /** Null: of this repository. */
  readonly source: string | null;
}

interface Metadata {
  readonly packages: readonly Package[];
  readonly resolve: {
    readonly nodes: readonly {
      readonly id: string;
      readonly deps: readonly {
        readonly pkg: string;
        /** `dev` and `build` ones are not in the program. */
        readonly dep_kinds: readonly { readonly kind: 'dev' | 'build' | null }[];
      }[];
    }[];
  };
}

const [name = '', metadataFile = '', sources = '', out = ''] = process.argv.slice(2);
const { packages, resolve } = JSON.parse(readFileSync(metadataFile, 'utf8')) as Metadata;
const byId = new Map(packages.map((one) => [one.id, one]));
const needs = new Map(
  resolve.nodes.map(({ id, deps }) => [
    id,
    deps.filter(({ dep_kinds }) => dep_kinds.some(({ kind }) => kind === null)).map(({ pkg }) => pkg),
  ]),
);

const program = packages.find((one) => one.name === name && one.source === null);
if (program === undefined) throw new Error(`${metadataFile} has no package ${name} of this repository`);
const inside = new Set([program.id]);
// Grows while it is walked.
for (const id of inside) for (const needed of needs.get(id) ?? []) inside.add(needed);

copyOwnLicence(join(import.meta.dirname, '../../../LICENSE'), out);
const found = [...inside].map((id) => byId.get(id) as Package);
for (const { source, license, ...crate } of found) {
  if (source === null) continue;
  const folder = join(sources, `${crate.name}-${crate.version}`);
  copyLicence({ name: crate.name, version: crate.version, licence: license ?? 'unknown', folder }, out);
}

const refOf = ({ name: crate, version }: Package): string => `pkg:cargo/${crate}@${version}`;
const componentOf = (one: Package): Component => ({
  type: one === program ? 'application' : 'library',
  'bom-ref': refOf(one),
  ...{ name: one.name, version: one.version, purl: refOf(one) },
  ...(one.license !== null && licensed(one.license)),
});
writeBom(join(out, 'sbom.cdx.json'), {
  ...{ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, serialNumber: `urn:uuid:${randomUUID()}` },
  metadata: { component: componentOf(program) },
  components: found.filter((one) => one !== program).map(componentOf),
  dependencies: found.map((one) => ({
    ref: refOf(one),
    dependsOn: (needs.get(one.id) ?? []).map((id) => refOf(byId.get(id) as Package)),
  })),
});
