/** The manifests in deploy/kubernetes, which are the chart's for each file of example values, and what their pods say. */

import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

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

/** Whatever an object says, as far as tests look. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: of any kind; types of all kinds would say nothing that a test compares with.
  readonly spec?: any;
  readonly data?: Readonly<Record<string, string>>;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly restartPolicy?: string;
  readonly securityContext?: unknown;
  readonly resources?: { readonly requests?: object; readonly limits?: object };
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
}

export interface Probe {
  readonly grpc?: { readonly port: number; readonly service?: string };
  readonly exec?: { readonly command: readonly string[] };
  readonly httpGet?: { readonly port: string; readonly path: string; readonly scheme?: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

/** A pod that a workload makes. */
export interface Pod {
  /** Name of the workload. */
  readonly of: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Native sidecars first. */
  readonly containers: readonly Container[];
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly spec: any;
}

/** The objects of a text of YAML. */
export const parseManifests = (text: string): Manifest[] =>
  parseAllDocuments(text)
    .map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      return document.toJS() as Manifest | null;
    })
    .filter((manifest) => manifest !== null);

export const readManifests = (name: ManifestName): Manifest[] =>
  parseManifests(readFileSync(manifestFile(name), 'utf8'));

/** The pods of Deployments and of KEDA's Jobs. */
export function podsOf(manifests: readonly Manifest[]): Pod[] {
  return manifests.flatMap(({ metadata, spec }) => {
    const template = spec?.template ?? spec?.jobTargetRef?.template;
    if (template?.spec?.containers === undefined) return [];
    return {
      of: metadata.name,
      labels: template.metadata.labels,
      containers: [...(template.spec.initContainers ?? []), ...template.spec.containers],
      spec: template.spec,
    };
  });
}

/** Whether labels have all that a selector names. */
export const selects = (
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean => Object.entries(selector).every(([key, value]) => labels[key] === value);
