/** The images of `deploy/images`: what a node downloads of each above its base, and how soon they serve once they are started. */

import { credentials, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { Container } from '../deploy/container.ts';
import { addedMegabytes, buildImage, type ImageName, whyNoImages } from '../deploy/images.ts';
import { deadAddress } from '../support/ports.ts';
import type { Row } from './row.ts';
import { median } from './statistics.ts';

const STARTS = 5;
const ASK_AGAIN_MS = 20;
const ASK_FOR_MS = 120_000;
const ROWS = { 'glocal-dmd': 'dmd', 'glocal-trainer': 'trainer', 'glocal-dashboard': 'dashboard' } as const;

/** None where images cannot be built, which is said. */
export async function deployRows(): Promise<Row[]> {
  const why = await whyNoImages();
  if (why !== undefined) {
    console.error(`no rows of images, which cannot be built here: ${why}`);
    return [];
  }
  const rows: Row[] = [];
  for (const [image, short] of Object.entries(ROWS) as [ImageName, string][]) {
    await buildImage(image);
    rows.push({ name: `deploy.image_mb.${short}`, value: await addedMegabytes(image), unit: 'MB', n: 1 });
  }

  const dmdAddress = await deadAddress();
  const dmdStart = () => Container.start('glocal-dmd', { args: ['serve', '--listen', dmdAddress] });
  const dmd = await startsOf(dmdStart, dmdAddress, 'glocal.v1.DmdService');
  await using _ = await dmdStart();
  await serves(dmdAddress, 'glocal.v1.DmdService');
  const address = await deadAddress();
  const args = ['--listen', address, '--dmd-address', dmdAddress];
  const server = await startsOf(
    () => Container.start('glocal-trainer', { args }),
    address,
    'glocal.v1.StudyService',
  );
  const inSeconds = (name: string, starts: readonly number[]): Row => ({
    ...{ name, value: median(starts), unit: 's', n: starts.length },
  });
  return [...rows, inSeconds('deploy.server_ready_s', server), inSeconds('deploy.dmd_ready_s', dmd)];
}

/** Seconds from the start of a container's program until it says that it is ready, several times. */
async function startsOf(
  start: () => Promise<Container>,
  address: string,
  service: string,
): Promise<readonly number[]> {
  const starts: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    await using container = await start();
    await serves(address, service);
    const ready = Date.now();
    starts.push((ready - (await container.startedAt())) / 1_000);
  }
  return starts;
}

type Answer = (error: ServiceError | null, answer?: { readonly status: string }) => void;

/** Returns when the health of the service is SERVING. */
async function serves(address: string, service: string): Promise<void> {
  const Client = makeGenericClientConstructor(healthService, 'Health');
  const again = {
    'grpc.initial_reconnect_backoff_ms': ASK_AGAIN_MS,
    'grpc.max_reconnect_backoff_ms': ASK_AGAIN_MS,
  };
  const client = new Client(address, credentials.createInsecure(), again);
  const deadline = Date.now() + ASK_FOR_MS;
  try {
    while (Date.now() < deadline) {
      const answered = await new Promise<string | undefined>((resolve) => {
        const answer: Answer = (error, found) => resolve(error === null ? found?.status : undefined);
        client.check?.({ service }, { deadline: Date.now() + 1_000 }, answer);
      });
      if (answered === 'SERVING') return;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  } finally {
    client.close();
  }
  throw new Error(`${service} at ${address} was not SERVING within ${ASK_FOR_MS / 1_000} s`);
}
