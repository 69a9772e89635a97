/** Probes as a kubelet makes them: whether a container has started, is ready, and is alive. */

import { get } from 'node:http';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { askHealth } from '@glocal/trainer/testing';
import type { ContainerSpec, Probe } from '../objects.ts';
import type { Container } from './container.ts';

/** This machine is busier than a node is to be: what Kubernetes would wait a second for has this many. */
const PATIENCE = 60;

export interface Probed {
  readonly container: Container;
  readonly spec: ContainerSpec;
  /** Of the pod. */
  readonly address: string;
}

/** Asks once. @returns undefined when the answer is good, else what is wrong. */
export async function ask(probe: Probe, { container, spec, address }: Probed): Promise<string | undefined> {
  const timeout = (probe.timeoutSeconds ?? 1) * 1_000 * PATIENCE;
  const portOf = (port: number | string): number => {
    if (typeof port === 'number') return port;
    const found = spec.ports?.find(({ name }) => name === port);
    if (found === undefined) throw new Error(`container ${spec.name} has no port ${port}`);
    return found.containerPort;
  };
  try {
    if (probe.exec !== undefined) {
      const { code, output } = await container.exec(probe.exec.command, timeout);
      return code === 0 ? undefined : `exit code ${code}: ${output}`;
    }
    if (probe.grpc !== undefined) {
      const { port, service = '' } = probe.grpc;
      const asked = { address: `${address}:${port}`, tls: undefined, service, timeoutMs: timeout };
      const status = await askHealth(asked);
      return status === 'SERVING' ? undefined : status;
    }
    if (probe.httpGet !== undefined) {
      const { path = '/', port, scheme = 'HTTP' } = probe.httpGet;
      const status = await httpStatus(scheme === 'HTTPS', address, portOf(port), path, timeout);
      return status >= 200 && status < 400 ? undefined : `status ${status}`;
    }
    if (probe.tcpSocket !== undefined) return await tcp(address, portOf(probe.tcpSocket.port), timeout);
    throw new Error(`container ${spec.name} has a probe of a kind that nothing here knows`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Asks again and again, as the probe says, and tells of each change, until told to stop. */
export async function watch(
  probe: Probe,
  probed: Probed,
  signal: AbortSignal,
  changed: (good: boolean, reason: string) => void,
): Promise<void> {
  const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3, successThreshold = 1 } = probe;
  let state: boolean | undefined;
  let [good, bad] = [0, 0];
  await pause(initialDelaySeconds, signal);
  while (!signal.aborted) {
    const wrong = await ask(probe, probed);
    if (signal.aborted) return;
    [good, bad] = wrong === undefined ? [good + 1, 0] : [0, bad + 1];
    const next = good >= successThreshold ? true : bad >= failureThreshold ? false : state;
    if (next !== undefined && next !== state) changed(next, wrong ?? '');
    state = next;
    await pause(periodSeconds, signal);
  }
}

const pause = (seconds: number, signal: AbortSignal): Promise<void> =>
  sleep(seconds * 1_000, undefined, { signal }).catch(() => {});

/** A kubelet does not check certificates. */
function httpStatus(
  tls: boolean,
  host: string,
  port: number,
  path: string,
  timeout: number,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = { host, port, path, timeout };
  const asked = tls ? request({ ...options, agent: new Agent({ rejectUnauthorized: false }) }) : get(options);
  asked.on('response', (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
  asked.on('error', reject);
  asked.end();
  return promise;
}

function tcp(host: string, port: number, timeout: number): Promise<undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const socket = connect({ host, port, timeout });
  socket.on('connect', () => resolve(undefined));
  socket.on('timeout', () => reject(new Error('no answer in time')));
  socket.on('error', reject);
  return promise.finally(() => socket.destroy());
}
