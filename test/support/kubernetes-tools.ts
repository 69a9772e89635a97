/** Helm and what judges charts and manifests, in pinned versions, built or installed once and kept in `.glocal`. */

import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { execa, type Result } from 'execa';
import { goInstall } from './go.ts';

const TOOLS = join(import.meta.dirname, '../../.glocal/test/go');

/** Packages of programs, with their versions. */
const PROGRAMS = {
  helm: 'helm.sh/helm/v4/cmd/helm@v4.3.2',
  'helm-unittest': 'github.com/helm-unittest/helm-unittest/cmd/helm-unittest@v1.1.2',
  'kube-score': 'github.com/zegl/kube-score/cmd/kube-score@v1.20.0',
} as const;

export type KubernetesTool = keyof typeof PROGRAMS;

/** The path of a tool, which is built at the first call: helm takes minutes. */
export async function kubernetesTool(name: KubernetesTool): Promise<string> {
  const program = PROGRAMS[name];
  const [, version = ''] = program.split('@');
  const path = join(TOOLS, `${name}-${version}`);
  if (existsSync(path)) return path;
  await mkdir(TOOLS, { recursive: true });
  const folder = join(TOOLS, `build-${process.pid}`);
  await rename(await goInstall(program, folder), path);
  return path;
}

/** Runs helm with nothing of this user's. */
export async function helm(args: readonly string[], reject = true): Promise<Result> {
  const home = join(TOOLS, 'helm-home');
  return execa(await kubernetesTool('helm'), [...args], {
    reject,
    env: { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home, KUBECONFIG: '/dev/null' },
  });
}
