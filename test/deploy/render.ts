/** Writes deploy/kubernetes anew: `node test/deploy/render.ts`. It needs Go, with which helm is built once. */

import { writeFile } from 'node:fs/promises';
import { helm } from '../support/kubernetes-tools.ts';
import { CHART, chartSum, MANIFESTS, type ManifestName, manifestFile, valuesFile } from './manifests.ts';

const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata:
  name: glocal
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

/**
 * What the chart makes of values.
 * @param files of values; @param more like `worker.replicas=2`.
 * @throws with what helm says of values that it refuses.
 */
export async function template(files: readonly string[], more: readonly string[] = []): Promise<string> {
  const { exitCode, stdout, stderr } = await helm([
    ...['template', 'glocal', CHART, '--namespace', 'glocal', '--kube-version', '1.33.0', '--skip-tests'],
    ...files.flatMap((file) => ['--values', file]),
    ...more.flatMap((value) => ['--set', value]),
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

/** The text of a manifest as the chart is now. */
export async function renderManifest(name: ManifestName): Promise<string> {
  const values = valuesFile(name);
  const stdout = await template(values === undefined ? [] : [values]);
  // Whoever applies it has no Helm, which would find its objects again by this.
  const objects = stdout.replaceAll('managed-by: Helm', 'managed-by: kubectl');
  return `# Made of the chart by "node test/deploy/render.ts", from ${chartSum()}\n${NAMESPACE}${objects}\n`;
}

if (import.meta.main) {
  for (const name of MANIFESTS) await writeFile(manifestFile(name), await renderManifest(name));
}
