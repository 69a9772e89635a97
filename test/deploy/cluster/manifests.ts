/** Of Kubernetes' objects what this cluster does something with, and what it leaves aside knowingly; it refuses the rest. */

import { parseAllDocuments } from 'yaml';

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Any object, as it is written. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  // Its shape is that of its kind, which the tests of the chart check against Kubernetes' schemas.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly [key: string]: any;
}

export interface Probe {
  readonly exec?: { readonly command: readonly string[] };
  readonly grpc?: { readonly port: number; readonly service?: string };
  readonly httpGet?: { readonly path?: string; readonly port: number | string; readonly scheme?: string };
  readonly tcpSocket?: { readonly port: number | string };
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
  readonly successThreshold?: number;
}

interface KeyRef {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyRef;
    readonly configMapKeyRef?: KeyRef;
    readonly fieldRef?: { readonly fieldPath: string };
    readonly resourceFieldRef?: { readonly resource: string; readonly divisor?: string };
  };
}

export interface SecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly fsGroup?: number;
  readonly readOnlyRootFilesystem?: boolean;
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly {
    readonly prefix?: string;
    readonly secretRef?: { readonly name: string; readonly optional?: boolean };
    readonly configMapRef?: { readonly name: string; readonly optional?: boolean };
  }[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
    readonly readOnly?: boolean;
  }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly lifecycle?: {
    readonly preStop?: { readonly exec?: Probe['exec']; readonly sleep?: { readonly seconds: number } };
  };
  readonly securityContext?: SecurityContext;
  readonly restartPolicy?: 'Always';
  readonly resources?: unknown;
}

interface Items {
  readonly items?: readonly { readonly key: string; readonly path: string }[];
  readonly optional?: boolean;
}

export interface VolumeSource {
  readonly emptyDir?: unknown;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly secret?: Items & { readonly secretName: string; readonly defaultMode?: number };
  readonly configMap?: Items & { readonly name: string; readonly defaultMode?: number };
  readonly projected?: {
    readonly defaultMode?: number;
    readonly sources: readonly {
      readonly secret?: Items & { readonly name: string };
      readonly configMap?: Items & { readonly name: string };
    }[];
  };
}

export interface Volume extends VolumeSource {
  readonly name: string;
}

export interface PodSpec {
  readonly initContainers?: readonly ContainerSpec[];
  readonly containers: readonly ContainerSpec[];
  readonly volumes?: readonly Volume[];
  readonly securityContext?: SecurityContext;
  readonly terminationGracePeriodSeconds?: number;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
}

export interface PodTemplate {
  readonly metadata?: Partial<Metadata>;
  readonly spec: PodSpec;
}

/** Fields that change nothing here: where a pod runs, what it may take, what Kubernetes itself sees to. */
const LEFT_ASIDE: Readonly<Record<'pod' | 'container', readonly string[]>> = {
  pod: [
    ...[
      'affinity',
      'nodeSelector',
      'tolerations',
      'topologySpreadConstraints',
      'schedulerName',
      'runtimeClassName',
    ],
    ...['serviceAccountName', 'automountServiceAccountToken', 'priorityClassName', 'imagePullSecrets'],
    ...['enableServiceLinks', 'hostname', 'dnsPolicy', 'resourceClaims', 'shareProcessNamespace'],
  ],
  container: ['resources', 'imagePullPolicy', 'terminationMessagePolicy', 'terminationMessagePath'],
};

const KNOWN: Readonly<Record<'pod' | 'container' | 'volume', readonly string[]>> = {
  pod: [
    ...['initContainers', 'containers', 'volumes', 'securityContext', 'terminationGracePeriodSeconds'],
    'restartPolicy',
  ],
  container: [
    ...['name', 'image', 'command', 'args', 'env', 'envFrom', 'ports', 'volumeMounts', 'startupProbe'],
    ...['readinessProbe', 'livenessProbe', 'lifecycle', 'securityContext', 'restartPolicy'],
  ],
  volume: ['name', 'emptyDir', 'persistentVolumeClaim', 'secret', 'configMap', 'projected'],
};

/** @throws Error naming a field that nothing here would do anything about. */
export function checkPod({ spec }: PodTemplate): void {
  refuse('pod', spec, [...KNOWN.pod, ...LEFT_ASIDE.pod]);
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    refuse(`container ${container.name}`, container, [...KNOWN.container, ...LEFT_ASIDE.container]);
  }
  for (const volume of spec.volumes ?? []) refuse(`volume ${volume.name}`, volume, KNOWN.volume);
}

function refuse(what: string, object: object, known: readonly string[]): void {
  const unknown = Object.keys(object).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`${what}: nothing here knows ${unknown.join(', ')}`);
}

/** All objects of a text of YAML. */
export const parseManifests = (text: string): Manifest[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
