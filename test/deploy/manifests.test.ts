/** What the manifests in deploy/kubernetes say, without any tool of Kubernetes; with them `chart.full.test.ts` looks. */

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { dashboardVariables, startDmdWith, trainerVariables, unknownVariables } from './known-variables.ts';
import { chartSum, MANIFESTS, manifestFile, readManifests } from './manifests.ts';
import { type ContainerSpec, type PodOf, podsOf, selects } from './objects.ts';

let known: Readonly<Record<string, readonly string[]>>;
beforeAll(async () => {
  const trainer = trainerVariables();
  const dashboard = await dashboardVariables();
  known = { 'glocal-trainer': trainer, 'glocal-trainer-gpu': trainer, 'glocal-dashboard': dashboard };
});

describe.each(MANIFESTS)('%s.yaml', (name) => {
  const manifests = readManifests(name);
  const pods = podsOf(manifests);

  it('is what the chart makes now', () => {
    const [first = ''] = readFileSync(manifestFile(name), 'utf8').split('\n');
    expect(first, 'run: node test/deploy/render.ts').toContain(chartSum());
  });

  it('names each object once, in one namespace', () => {
    const names = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(names).toEqual([...new Set(names)]);
    const elsewhere = manifests.filter(
      ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'glocal',
    );
    expect(elsewhere).toEqual([]);
  });

  it('runs everything under the restricted pod security standard, without tokens of the cluster', () => {
    expect(pods.length).toBeGreaterThan(0);
    for (const { of, spec, containers } of pods) {
      expect(spec, of).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      });
      for (const container of containers) {
        expect(container.securityContext, `${of}/${container.name}`).toEqual({
          allowPrivilegeEscalation: false,
          privileged: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources?.limits, `${of}/${container.name}`).toHaveProperty('memory');
      }
    }
  });

  it('mounts what it has volumes for, and has volumes for what it mounts', () => {
    for (const { of, spec, containers } of pods) {
      const volumes = (spec.volumes ?? []).map((volume: { name: string }) => volume.name).sort();
      const mounted = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map((mount) => mount.name));
      expect([...new Set(mounted)].sort(), of).toEqual(volumes);
    }
  });

  it('has files where variables and arguments say that they are', () => {
    for (const { of, containers } of pods) {
      for (const container of containers) {
        const mounts = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
        const said = [
          ...(container.env ?? []).map(({ value = '' }) => value),
          ...probes(container).flatMap(({ exec }) => exec?.command ?? []),
        ];
        const files = said.flatMap((text) => text.match(/\/(etc|var\/lib)\/glocal\/[\w./-]+/g) ?? []);
        const lost = files.filter((file) => !mounts.some((mount) => file.startsWith(`${mount}/`)));
        expect(lost, `${of}/${container.name}`).toEqual([]);
      }
    }
  });

  it('has probes of what listens, three for each container', () => {
    for (const { of, containers } of pods) {
      for (const container of containers) {
        const where = `${of}/${container.name}`;
        expect(probes(container), where).toHaveLength(3);
        const ports = container.ports ?? [];
        for (const { grpc, httpGet } of probes(container)) {
          const numbers = ports.map((port) => port.containerPort);
          if (grpc !== undefined) expect(numbers, where).toContain(grpc.port);
          const names = ports.map((port) => port.name);
          if (httpGet !== undefined) expect(names, where).toContain(httpGet.port);
        }
      }
    }
  });

  it('opens the ports that variables say', () => {
    for (const { of, containers } of pods) {
      for (const { name: container, env = [], ports = [] } of containers) {
        const listens = env
          .filter(({ name: variable, value }) => /_LISTEN$/.test(variable) && !value?.startsWith('127.'))
          .map(({ value }) => Number(value?.split(':').at(-1)));
        expect(ports.map((port) => port.containerPort).sort(), `${of}/${container}`).toEqual(listens.sort());
      }
    }
  });

  it('waits longer for an end than the programs do', () => {
    for (const { of, spec, containers } of pods) {
      const longest = containers.map(({ env = [], lifecycle }) => {
        const drain = env.find(({ name: variable }) => variable.endsWith('_DRAIN_SECONDS'))?.value ?? '0';
        return Number(drain) + (lifecycle?.preStop?.sleep?.seconds ?? 0);
      });
      expect(spec.terminationGracePeriodSeconds, of).toBeGreaterThan(Math.max(...longest));
    }
  });

  it('gives programs only variables that they know, each once', async () => {
    for (const { of, containers } of pods) {
      for (const { image, env = [] } of containers) {
        const names = env.map((variable) => variable.name);
        expect(names, `${of}/${image}`).toEqual([...new Set(names)]);
        const [program = ''] = image.split('/').at(-1)?.split(/[:@]/) ?? [];
        if (program === 'glocal-dmd') await startDmdWith(env);
        else expect(unknownVariables(env, known[program] ?? []), `${of}/${image}`).toEqual([]);
      }
    }
  });

  it('has services that reach their pods', () => {
    const services = manifests.filter(({ kind }) => kind === 'Service');
    expect(services.length).toBeGreaterThan(2);
    for (const { metadata, spec } of services) {
      const reached = pods.filter(({ labels }) => selects(spec.selector, labels));
      for (const { name: port, targetPort } of spec.ports) {
        const there = reached.filter((pod) => portsOf(pod).includes(targetPort));
        expect(there, `${metadata.name}:${port}`).not.toEqual([]);
      }
    }
  });

  it('has a policy for every pod, and lets its ports be reached by those that are named', () => {
    const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');
    for (const { of, labels, containers } of pods) {
      const [policy, ...more] = policies.filter(({ spec }) => selects(spec.podSelector.matchLabels, labels));
      expect(policy?.spec.policyTypes, of).toEqual(['Ingress', 'Egress']);
      expect(more, of).toEqual([]);
      const open = (policy?.spec.ingress ?? []).flatMap((rule: { ports: { port: number }[] }) =>
        rule.ports.map(({ port }) => port),
      );
      // Health is asked by the node.
      const ports = containers.flatMap(({ ports = [] }) => ports).filter((port) => port.name !== 'health');
      expect(open.sort(), of).toEqual(ports.map((port) => port.containerPort).sort());
      for (const rule of policy?.spec.ingress ?? []) expect(rule.from, of).not.toHaveLength(0);
    }
  });
});

const probes = ({ startupProbe, readinessProbe, livenessProbe }: ContainerSpec) =>
  [startupProbe, readinessProbe, livenessProbe].filter((probe) => probe !== undefined);

const portsOf = ({ containers }: PodOf): string[] =>
  containers.flatMap(({ ports = [] }) => ports.flatMap(({ name = [] }) => name));
