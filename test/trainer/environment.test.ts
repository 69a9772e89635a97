/** What is in the environment of a trainer: its settings, the settings of others, and secrets. */

import { existsSync, readFileSync } from 'node:fs';
import { configVariables } from '@glocal/trainer/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadAddress } from '../support/ports.ts';
import { dmdProcesses, trainingProcesses } from '../support/processes.ts';
import { longStudy, quickStudy, training } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

/** A value for each documented variable; undefined for those that name a file, or a DMD service that runs elsewhere. */
const VALUES: Readonly<Record<string, string | undefined>> = {
  GLOCAL_CONFIG: undefined,
  GLOCAL_ROLE: 'all',
  GLOCAL_LISTEN: '127.0.0.1:0',
  GLOCAL_STORE: '',
  GLOCAL_OBJECTS: undefined,
  GLOCAL_OBJECTS_ENDPOINT: undefined,
  GLOCAL_OBJECTS_REGION: undefined,
  GLOCAL_TLS_CERTIFICATE: undefined,
  GLOCAL_TLS_KEY: undefined,
  GLOCAL_TLS_CLIENT_CA: undefined,
  GLOCAL_TLS_CLIENT_ROLE: undefined,
  GLOCAL_STORE_WAIT_SECONDS: '5',
  GLOCAL_STORE_PASSWORD_FILE: undefined,
  GLOCAL_STORE_CONNECTIONS: '5',
  GLOCAL_STORE_STATEMENT_SECONDS: '30',
  GLOCAL_STORE_DIR: undefined,
  GLOCAL_TOKEN_FILE: undefined,
  GLOCAL_JWT_ISSUER: undefined,
  GLOCAL_JWT_AUDIENCE: undefined,
  GLOCAL_JWT_KEYS: undefined,
  GLOCAL_JWT_OWNER_CLAIM: 'sub',
  GLOCAL_JWT_ROLE_CLAIM: undefined,
  GLOCAL_JWT_CLOCK_TOLERANCE: '30',
  GLOCAL_AUDIT_LOG: undefined,
  GLOCAL_DMD_ADDRESS: undefined,
  GLOCAL_DMD_TLS_CA: undefined,
  GLOCAL_DMD_TLS_CERTIFICATE: undefined,
  GLOCAL_DMD_TLS_KEY: undefined,
  GLOCAL_DMD_TLS_DOMAIN: undefined,
  GLOCAL_DMD_TOKEN_FILE: undefined,
  GLOCAL_DMD_BINARY: new URL('../../target/release/glocal-dmd', import.meta.url).pathname,
  GLOCAL_DMD_RETRY_SECONDS: '5',
  GLOCAL_MODEL_DIR: undefined,
  GLOCAL_PROBLEM_DIR: undefined,
  GLOCAL_BACKEND: 'wasm',
  GLOCAL_MAX_RUNNING_TRIALS: '2',
  GLOCAL_MAX_OWNER_RUNNING_TRIALS: '2',
  GLOCAL_WORKER_NAME: 'one',
  GLOCAL_LEASE_SECONDS: '10',
  GLOCAL_MAX_WORKER_DEATHS: '5',
  GLOCAL_ONCE: 'no',
  GLOCAL_ONCE_NO_WORK_OK: 'no',
  GLOCAL_MAX_ACTIVE_STUDIES: '10',
  GLOCAL_MAX_OWNER_ACTIVE_STUDIES: '10',
  GLOCAL_MAX_STUDIES: '1000',
  GLOCAL_KEEP_STUDIES: '100',
  GLOCAL_KEEP_DAYS: '30',
  GLOCAL_MAX_CHECKPOINT_BYTES: '1GiB',
  GLOCAL_DRAIN_SECONDS: '5',
  GLOCAL_MAX_STEPS: '10000000',
  GLOCAL_MAX_TRIALS: '1000',
  GLOCAL_MAX_WATCHERS: '10',
  GLOCAL_MAX_WATCH_BYTES: '268435456',
  GLOCAL_MAX_ARTIFACT_BYTES: '1000000',
  GLOCAL_MAX_OWNER_ARTIFACT_BYTES: '10000000000',
  GLOCAL_UPLOAD_IDLE_SECONDS: '60',
  GLOCAL_MAX_DRIVERS: '10',
  GLOCAL_MAX_TRIAL_MEMORY_BYTES: '8GiB',
  GLOCAL_TRIAL_SILENCE_SECONDS: '600',
  GLOCAL_HEALTH_LISTEN: '127.0.0.1:0',
  GLOCAL_METRICS_LISTEN: '127.0.0.1:0',
  GLOCAL_INSECURE_METRICS: 'no',
  GLOCAL_LOG_LEVEL: 'info',
  GLOCAL_INSECURE: 'no',
  GLOCAL_EXIT_WITH_STDIN: 'yes',
};

/** What Kubernetes tells every container about a Service named `glocal-dmd`. */
const SERVICE_LINKS = {
  GLOCAL_DMD_SERVICE_HOST: '10.0.0.11',
  GLOCAL_DMD_SERVICE_PORT: '50062',
  GLOCAL_DMD_PORT: 'tcp://10.0.0.11:50062',
  GLOCAL_DMD_PORT_50062_TCP: 'tcp://10.0.0.11:50062',
  GLOCAL_DMD_PORT_50062_TCP_PROTO: 'tcp',
  GLOCAL_DMD_PORT_50062_TCP_PORT: '50062',
  GLOCAL_DMD_PORT_50062_TCP_ADDR: '10.0.0.11',
};

/** Names and values, as the operating system shows them. */
const environmentOf = (pid: number): string[] => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');

describe('a trainer with every documented variable set, service links and a proxy', () => {
  let trainer: TestTrainer;
  beforeAll(async () => {
    const proxy = `http://${await deadAddress()}`;
    trainer = await TestTrainer.start({
      env: {
        ...Object.fromEntries(Object.entries(VALUES).filter(([, value]) => value)),
        ...SERVICE_LINKS,
        ...{ http_proxy: proxy, https_proxy: proxy, grpc_proxy: proxy },
        A_SECRET: 'of-nobody-else',
      },
    });
  });
  afterAll(() => trainer?.[Symbol.asyncDispose]());

  it('has tried all that there are', () => {
    const documented = configVariables().map(({ variable }) => variable);
    expect(Object.keys(VALUES).sort()).toEqual(documented.sort());
  });

  it('starts its DMD service, and trains with it, whatever the proxy', async () => {
    const study = await trainer.client.studies.create(quickStudy());
    expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
    const outerSteps = await Array.fromAsync(study.outerSteps());
    expect(outerSteps.map(({ verdict }) => typeof verdict)).toEqual(['string', 'string', 'string']);
  });

  it('says in its log which variables it leaves aside', () => {
    const line = trainer.log.find((text) => text.includes('variables left aside')) ?? '{}';
    expect(JSON.parse(line).variables.sort()).toEqual(Object.keys(SERVICE_LINKS).sort());
  });

  it.skipIf(!existsSync('/proc/self/environ'))('keeps its secrets from its children', async () => {
    const study = await trainer.client.studies.create(longStudy());
    await training(study);
    const children = [...dmdProcesses(trainer.pid), ...trainingProcesses(trainer.pid)];
    expect(children).toHaveLength(2);
    for (const { pid } of children) {
      const environment = environmentOf(pid);
      expect(environment).not.toContain('A_SECRET=of-nobody-else');
      expect(environment.some((entry) => entry.startsWith('PATH='))).toBe(true);
    }
    await study.cancel();
  });
});

describe('a variable of ours that is misspelt', () => {
  it('keeps the trainer from starting, and is named with what was meant', async () => {
    await expect(TestTrainer.start({ env: { GLOCAL_DMD_RETRY_SECOND: '5' } })).rejects.toThrow(
      /exit code 64: glocal-trainer: GLOCAL_DMD_RETRY_SECOND: .*did you mean GLOCAL_DMD_RETRY_SECONDS\?/,
    );
  });
});
