/** Whether what is in `deploy/kubernetes`, which the chart makes, is what Kubernetes takes. */

import { customResources } from '../deploy/custom-resources.ts';
import { MANIFESTS, manifestFile, readManifests } from '../deploy/manifests.ts';
import { hasGo, whereGoIs } from '../support/go.ts';
import { validateManifest } from '../support/kubernetes-tools.ts';
import type { Row } from './row.ts';

const KUBERNETES = '1.37.0';

/**
 * `deploy.manifests_valid`: the share of objects that the strict schemas of their kinds accept, Kubernetes's own and, where Go is
 * there to fetch them, those of KEDA, cert-manager and Prometheus's operator. Kinds without a schema are not counted.
 */
export async function manifestsRow(): Promise<Row> {
  if (!hasGo) console.error(`deploy.manifests_valid: of Kubernetes's own kinds alone${whereGoIs}`);
  const check = hasGo ? await customResources() : () => undefined;
  let [valid, n] = [0, 0];
  for (const name of MANIFESTS) {
    const found = await validateManifest(manifestFile(name), KUBERNETES);
    const manifests = readManifests(name);
    const custom = manifests.flatMap((manifest) => {
      const faults = check(manifest);
      return faults === undefined ? [] : [faults.length === 0];
    });
    valid += found.valid.length + custom.filter((isValid) => isValid).length;
    n += manifests.length - found.unknown.length + custom.length;
  }
  return { name: 'deploy.manifests_valid', value: valid / n, unit: 'share', n };
}
