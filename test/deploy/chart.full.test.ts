/** The chart as Helm and the tools of Kubernetes see it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasGo, whereGoIs } from '../support/go.ts';
import { helm, kubernetesTool, validateManifest } from '../support/kubernetes-tools.ts';
import { type CheckCustomResource, customResources } from './custom-resources.ts';
import { CHART, MANIFESTS, type ManifestName, manifestFile, readManifests, valuesFile } from './manifests.ts';
import { renderManifest } from './render.ts';

/** The first that has native sidecars for good, and the newest whose schemas are at hand. */
const VERSIONS = ['1.33.0', '1.37.0'];
/** Tools are built and installed by the first test that needs them. */
const BUILD = { timeout: 3_600_000 };

const withValues = (name: ManifestName): string[] => {
  const file = valuesFile(name);
  return file === undefined ? [] : ['--values', file];
};

describe.skipIf(!hasGo)(`Helm${whereGoIs}`, () => {
  beforeAll(() => kubernetesTool('helm'), BUILD.timeout);

  it.each(MANIFESTS)('finds no fault with the values %s', async (name) => {
    const { exitCode, stdout } = await helm(['lint', '--strict', CHART, ...withValues(name)]);
    expect(stdout).not.toMatch(/\[(ERROR|WARNING)\]/);
    expect(exitCode).toBe(0);
  });

  it.each(MANIFESTS)('makes of the values %s what is in deploy/kubernetes', async (name) => {
    expect(await renderManifest(name)).toBe(readFileSync(manifestFile(name), 'utf8'));
  });

  it.each([
    ['workers.replicas=1', 'workers'],
    ['worker.runner=cron', '/worker/runner'],
    ['worker.replicas=many', '/worker/replicas'],
    ['worker.settings.maxStep=1', 'maxStep'],
    ['server.drainSeconds=0', '/server/drainSeconds'],
    ['store.type=mysql', '/store/type'],
    ['networkPolicy.database.port=0', '/networkPolicy/database/port'],
    ['auth.tokens.enabled=false', 'auth.tokens.enabled'],
    ['auth.jwt.issuer=https://issuer', 'auth.jwt.audience'],
    ['auth.clientCertificateRole=write', 'tls.clientCa.secretName'],
    ['store.postgresql.sslMode=disable', 'store.postgresql.sslMode'],
    ['store.type=sqlite,server.replicas=2', 'server.replicas'],
    ['dmd.clientTls.enabled=true', 'dmd.clientTls.enabled'],
    ['objects.type=s3', 'objects.s3.bucket'],
    ['objects.type=s3,objects.s3.bucket=b,objects.s3.endpoint=http://minio', 'objects.s3.endpoint'],
    ['worker.runner=job,worker.job.trigger=prometheus', 'worker.job.prometheus.serverAddress'],
    ['tls.certManager.enabled=true', 'tls.certManager.issuerRef.name'],
    ['dashboard.enabled=true,insecure=true', 'dashboard.enabled'],
    ['dashboard.enabled=true,tls.clientCa.secretName=roots', 'dashboard.clientTls.secretName'],
    ['metrics.enabled=false,metrics.serviceMonitor.enabled=true', 'metrics.serviceMonitor.enabled'],
  ])('refuses --set %s, and names %s', async (set, key) => {
    const { exitCode, stderr } = await helm(['template', 'glocal', CHART, '--set', set]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(key);
  });

  it('tells who installs it which Secrets are waited for', async () => {
    const args = ['install', 'glocal', CHART, '--namespace', 'team', '--dry-run=client'];
    const { stdout } = await helm([...args, '--set', 'dmd.mode=deployment']);
    const [, notes = ''] = stdout.split('NOTES:');
    const secrets = ['glocal-tls', 'glocal-tokens', 'glocal-database', 'glocal-dmd-tls', 'glocal-dmd-token'];
    for (const secret of secrets) expect(notes).toContain(secret);
    expect(notes).toContain('glocal.team.svc:50061');
  });

  it('runs the tests beside the chart', BUILD, async () => {
    const tool = await kubernetesTool('helm-unittest');
    const { exitCode, all } = await execa(tool, [CHART], { all: true, reject: false });
    expect(exitCode, all).toBe(0);
  });
});

describe('each manifest', () => {
  it.each(MANIFESTS.flatMap((name) => VERSIONS.map((version) => [name, version] as const)))(
    '%s is valid for Kubernetes %s',
    BUILD,
    async (name, version) => {
      const { valid, faults, unknown } = await validateManifest(manifestFile(name), version);
      expect(faults).toEqual([]);
      expect(valid.length + unknown.length).toBe(readManifests(name).length);
    },
  );

  it.skipIf(!hasGo).each(MANIFESTS)(
    `%s has custom resources as their projects define them${whereGoIs}`,
    BUILD,
    async (name) => {
      const check: CheckCustomResource = await customResources();
      const checked = readManifests(name).map((manifest) => [manifest.kind, check(manifest)] as const);
      const faults = checked.filter(([, found]) => found !== undefined && found.length > 0);
      expect(faults).toEqual([]);
    },
  );

  it.skipIf(!hasGo).each(MANIFESTS)(
    `%s has no fault that kube-score finds${whereGoIs}`,
    BUILD,
    async (name) => {
      const { exitCode, stdout } = await execa(
        await kubernetesTool('kube-score'),
        [
          'score',
          manifestFile(name),
          ...IGNORED.flatMap(([test]) => ['--ignore-test', test]),
          '--output-format',
          'ci',
        ],
        { reject: false },
      );
      expect(stdout.split('\n').filter((line) => /^\[(CRITICAL|WARNING)\]/.test(line))).toEqual([]);
      expect(exitCode).toBe(0);
    },
  );
});

/** Rules that are not followed, and why. */
const IGNORED: readonly (readonly [rule: string, why: string])[] = [
  ['container-image-pull-policy', 'images are named by version or digest'],
  ['container-resources', 'a limit of processors would slow training down for nothing; memory has one'],
  ['container-ephemeral-storage-request-and-limit', 'what pods write is in volumes'],
  ['deployment-replicas', 'the defaults are small'],
  ['deployment-strategy', 'a file of SQLite has one process at a time'],
  ['deployment-has-host-podantiaffinity', 'topology spread constraints do that'],
  ['networkpolicy-targets-pod', 'pods of a ScaledJob are not known to it'],
];

describe('what is not valid', () => {
  it('is refused by the schemas of Kubernetes', BUILD, async () => {
    const { faults } = await validateManifest(join(import.meta.dirname, 'wrong.yaml'), '1.37.0');
    expect(faults.join()).toContain('replicaz');
  });

  it.skipIf(!hasGo)(`is refused by the definitions of custom resources${whereGoIs}`, BUILD, async () => {
    const check = await customResources();
    const wrong = {
      ...{ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledJob', metadata: { name: 'wrong' } },
      spec: { triggers: [], jobs: 1 },
    };
    expect(check(wrong)?.join()).toContain('"additionalProperty":"jobs"');
  });
});
