/** The manifests in deploy/kubernetes, which are the chart's for each file of example values. */

import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Manifest, parseManifests } from './objects.ts';

const deploy = join(import.meta.dirname, '../../deploy');
/** The folder of the chart. */
export const CHART = join(deploy, 'chart');

/** Names of the manifests; each but `default` has a file of values of that name. */
export const MANIFESTS = ['default', 'single', 'fleet', 'jobs', 'gpu'] as const;
export type ManifestName = (typeof MANIFESTS)[number];

/** The file of a manifest. */
export const manifestFile = (name: ManifestName): string => join(deploy, 'kubernetes', `${name}.yaml`);

/** The file of its values; undefined for the chart's own. */
export const valuesFile = (name: ManifestName): string | undefined =>
  name === 'default' ? undefined : join(CHART, `values-${name}.yaml`);

/** What the manifests are rendered from, as one sum in hexadecimal digits: it says when they are out of date. */
export function chartSum(): string {
  const hash = createHash('sha256');
  const files = globSync(['*.yaml', '*.json', 'templates/**/*', 'monitoring/*', '.helmignore'], {
    cwd: CHART,
    withFileTypes: true,
  });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  for (const path of paths.sort()) {
    hash.update(path.slice(CHART.length)).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

/** Its objects. */
export const readManifests = (name: ManifestName): Manifest[] =>
  parseManifests(readFileSync(manifestFile(name), 'utf8'));
