/** Kubernetes' objects as they are written, as far as something here looks at them or runs them. */

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
  readonly resources?: { readonly requests?: object; readonly limits?: object };
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

/** A pod that a workload makes. */
export interface PodOf {
  /** Name of the workload. */
  readonly of: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Native sidecars first. */
  readonly containers: readonly ContainerSpec[];
  readonly spec: PodSpec;
}

/** The template of the pods of a Deployment or of KEDA's Jobs; undefined for other objects. */
export const templateOf = ({ spec }: Manifest): PodTemplate | undefined => {
  const template = spec?.template ?? spec?.jobTargetRef?.template;
  return template?.spec?.containers === undefined ? undefined : template;
};

/** All containers of a pod, native sidecars first. */
export const containersOf = ({ initContainers = [], containers }: PodSpec): ContainerSpec[] => [
  ...initContainers,
  ...containers,
];

export function podsOf(manifests: readonly Manifest[]): PodOf[] {
  return manifests.flatMap((manifest) => {
    const template = templateOf(manifest);
    if (template === undefined) return [];
    const { metadata, spec } = template;
    return {
      ...{ of: manifest.metadata.name, labels: metadata?.labels ?? {}, spec },
      containers: containersOf(spec),
    };
  });
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

/** Whether labels have all that a selector names. */
export const selects = (
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean => Object.entries(selector).every(([key, value]) => labels[key] === value);
