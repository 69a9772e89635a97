/** deploy/compose/compose.yaml, and its services as pods: what Compose would make of them, as far as that can be said in pods. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Manifest, Probe } from '../objects.ts';

export const composeFolder = join(import.meta.dirname, '../../../deploy/compose');

export interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number | boolean>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly interval?: string };
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export const readCompose = (): Compose =>
  parse(readFileSync(join(composeFolder, 'compose.yaml'), 'utf8'), { merge: true });

/** The image as it is without variables of the environment: `${NAME:-default}`. */
export const imageName = (image: string): string => image.replace(/^\$\{\w+:-(.*)\}$/, '$1');

/** @param files of the secrets. */
export function secretManifests({ secrets }: Compose, files: string): Manifest[] {
  return Object.entries(secrets).map(([name, { file }]) => ({
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name } },
    data: { [name]: readFileSync(join(files, file.replace('./secrets/', ''))).toString('base64') },
  }));
}

/** A Deployment of one pod, and its name among the others. */
export function serviceManifests(name: string, service: ComposeService): Manifest[] {
  const { command, environment = {}, secrets = [], volumes = [], tmpfs = [], healthcheck } = service;
  const labels = { service: name };
  const mounts = [
    ...volumes.map((volume) => {
      const [claim = '', mountPath = ''] = volume.split(':');
      return {
        volume: { name: claim, persistentVolumeClaim: { claimName: claim } },
        mount: { name: claim, mountPath },
      };
    }),
    ...tmpfs.map((mountPath, i) => ({
      volume: { name: `tmpfs${i}`, emptyDir: {} },
      mount: { name: `tmpfs${i}`, mountPath },
    })),
    ...secrets.map((secret) => ({
      volume: { name: `secret-${secret}`, secret: { secretName: secret } },
      mount: { name: `secret-${secret}`, mountPath: `/run/secrets/${secret}`, subPath: secret },
    })),
  ];
  const [how, ...test] = healthcheck?.test ?? [];
  const readinessProbe: Probe | undefined =
    how === 'CMD'
      ? { exec: { command: test }, periodSeconds: Number.parseInt(healthcheck?.interval ?? '30', 10) }
      : undefined;
  const container = {
    name,
    image: imageName(service.image),
    ...(command && { args: command }),
    env: Object.entries(environment).map(([key, value]) => ({ name: key, value: String(value) })),
    volumeMounts: mounts.map(({ mount }) => mount),
    securityContext: { readOnlyRootFilesystem: service.read_only ?? false },
    ...(readinessProbe && { readinessProbe }),
  };
  const spec = {
    terminationGracePeriodSeconds: Number.parseInt(service.stop_grace_period ?? '10', 10),
    volumes: mounts.map(({ volume }) => volume),
    containers: [container],
  };
  const template = { metadata: { labels }, spec };
  return [
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name } },
      spec: { replicas: 1, strategy: { type: 'Recreate' }, template },
    },
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
      spec: { clusterIP: 'None', selector: labels },
    },
  ];
}
