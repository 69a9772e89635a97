/** What probes are told of a worker, and of a server that they cannot reach otherwise: at the address of `--health-listen`. */

import { expect, it, vi } from 'vitest';
import { health, methodIn } from '../support/dynamic.ts';
import { Channel } from '../support/grpc.ts';
import { type FleetProcess, RoleFleet } from '../support/role-fleet.ts';
import { longStudy, training } from '../support/studies.ts';

const READINESS = 'glocal.v1.StudyService';
const PATIENCE = { timeout: 60_000, interval: 50 };

/** As its log says. */
const healthAddress = ({ log }: FleetProcess): Promise<string> =>
  vi.waitUntil(() => {
    const line = log.find((text) => text.includes('"healthAddress"'));
    return line && (JSON.parse(line) as { readonly healthAddress: string }).healthAddress;
  }, PATIENCE);

async function statusOf(address: string, service: string): Promise<string> {
  using channel = new Channel(address);
  return ((await channel.unary(methodIn(health, 'Check'), { service })) as { readonly status: string })
    .status;
}

const expectStatus = (address: string, service: string, status: string) =>
  vi.waitFor(async () => expect(await statusOf(address, service)).toBe(status), PATIENCE);

it('a worker is alive and ready, not ready while its database is away, and neither while it drains', async () => {
  const args = ['--backend', 'wasm', '--health-listen', '127.0.0.1:0', '--drain-seconds', '60'];
  await using fleet = await RoleFleet.start({ args });
  for (const each of fleet.processes) {
    const address = await healthAddress(each);
    expect([await statusOf(address, ''), await statusOf(address, READINESS)]).toEqual(['SERVING', 'SERVING']);
  }
  const [worker] = fleet.workers as [FleetProcess];
  const address = await healthAddress(worker);

  await fleet.postgres.stop();
  await expectStatus(address, READINESS, 'NOT_SERVING');
  expect(await statusOf(address, ''), 'restarting it would not help').toBe('SERVING');
  await fleet.postgres.start();
  await expectStatus(address, READINESS, 'SERVING');

  const study = await fleet.client.studies.create(longStudy({ estimator: 'fixed' }));
  await training(study);
  using channel = new Channel(address);
  const told = channel.open(methodIn(health, 'Watch'), { service: READINESS });
  expect((await told.next()).value).toMatchObject({ status: 'SERVING' });
  worker.signal('SIGTERM');
  expect((await told.next()).value).toMatchObject({ status: 'NOT_SERVING' });
  expect(await worker.ended).toBe(0);
}, 300_000);
