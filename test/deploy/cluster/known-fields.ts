/** Fields of pods that this cluster does something with, and those that it leaves aside knowingly; it refuses the rest. */

import { containersOf, type PodTemplate } from '../objects.ts';

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
  for (const container of containersOf(spec)) {
    refuse(`container ${container.name}`, container, [...KNOWN.container, ...LEFT_ASIDE.container]);
  }
  for (const volume of spec.volumes ?? []) refuse(`volume ${volume.name}`, volume, KNOWN.volume);
}

function refuse(what: string, object: object, known: readonly string[]): void {
  const unknown = Object.keys(object).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`${what}: nothing here knows ${unknown.join(', ')}`);
}
