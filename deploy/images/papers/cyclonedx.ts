/** What is used of CycloneDX 1.5, the list of what an image has inside. */

import { writeFileSync } from 'node:fs';

export interface Component {
  readonly type: 'library' | 'application' | 'platform';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly licenses?: readonly (
    | { readonly expression: string }
    | { readonly license: { readonly name: string } }
  )[];
  readonly hashes?: readonly { readonly alg: 'SHA-256' | 'SHA-512'; readonly content: string }[];
}

export interface Bom {
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: string;
  readonly version: number;
  readonly serialNumber?: string;
  readonly metadata?: { readonly component?: Component };
  readonly components: readonly Component[];
  readonly dependencies?: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** How CycloneDX writes a licence; Cargo's old `A/B` means A OR B. */
export const licensed = (licence: string): Pick<Component, 'licenses'> => ({
  licenses: [{ expression: licence.replaceAll('/', ' OR ') }],
});

export const writeBom = (file: string, bom: Bom): void =>
  writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
