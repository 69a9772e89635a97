/** Helm and what judges charts, manifests and Compose files, in pinned versions, built or installed once and kept in `.glocal`. */

import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { goBuild } from './go.ts';
import { pythonWith } from './python.ts';

const TOOLS = join(import.meta.dirname, '../../.glocal/test/go');

/** Modules with their versions, and the package of the program in each. */
const PROGRAMS = {
  helm: ['helm.sh/helm/v4@v4.3.2', 'cmd/helm'],
  'helm-unittest': ['github.com/helm-unittest/helm-unittest@v1.1.2', 'cmd/helm-unittest'],
  compose: ['github.com/compose-spec/compose-go/v2@v2.16.2', 'cmd'],
  'kube-score': ['github.com/zegl/kube-score@v1.20.0', 'cmd/kube-score'],
} as const;

export type KubernetesTool = keyof typeof PROGRAMS;

/** How a program ended, and what it said. */
export interface Said {
  readonly exitCode?: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** The path of a tool, which is built at the first call: helm takes minutes. */
export async function kubernetesTool(name: KubernetesTool): Promise<string> {
  const [module, program] = PROGRAMS[name];
  const [, version = ''] = module.split('@');
  const path = join(TOOLS, `${name}-${version}`);
  if (existsSync(path)) return path;
  await mkdir(TOOLS, { recursive: true });
  const built = join(TOOLS, `${name}-${process.pid}`);
  await goBuild(module, program, built);
  await rename(built, path);
  return path;
}

/** Runs helm with nothing of this user's, and does not throw when it fails. */
export async function helm(args: readonly string[]): Promise<Said> {
  const home = join(TOOLS, 'helm-home');
  const env = {
    HELM_CACHE_HOME: home,
    HELM_CONFIG_HOME: home,
    HELM_DATA_HOME: home,
    KUBECONFIG: '/dev/null',
  };
  return execa(await kubernetesTool('helm'), args, { env, reject: false });
}

/** What Kubernetes's own schemas say of the objects of a file. */
export interface Validity {
  /** `kind/name` of those that are as they should be. */
  readonly valid: readonly string[];
  /** Kinds that are not Kubernetes's own. */
  readonly unknown: readonly string[];
  /** What is wrong, a line each. */
  readonly faults: readonly string[];
}

/**
 * Checks a file strictly: fields that a kind does not have are faults.
 * @throws Error where Python or its package is missing.
 */
export async function validateManifest(file: string, kubernetes: string): Promise<Validity> {
  const python = await pythonWith(join(import.meta.dirname, '../deploy/requirements.txt'));
  if ('missing' in python) throw new Error(python.missing);
  const { all = '' } = await execa(
    join(python.bin, 'kubernetes-validate'),
    ['--strict', '--kubernetes-version', kubernetes, file],
    { all: true, reject: false },
  );
  const lines = all.split('\n').filter((line) => line.trim() !== '');
  const matches = (pattern: RegExp) => lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
  const isSaid = (line: string) => /passed for resource|Couldn't find schema for kind/.test(line);
  return {
    valid: matches(/passed for resource (\S+)/),
    unknown: matches(/Couldn't find schema for kind (\S+)/),
    faults: lines.filter((line) => !isSaid(line)),
  };
}
