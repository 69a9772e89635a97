/** S3-compatible stores that run here. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import S3rver from '@20minutes/s3rver';
import { execa } from 'execa';
import { goInstall } from './go.ts';
import { deadAddress } from './ports.ts';
import { temporaryFolder } from './trainer.ts';

const MINIO = 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c';

/** A store with a bucket. */
export interface S3Server extends AsyncDisposable {
  /** host:port */
  readonly address: string;
  readonly endpoint: string;
  readonly bucket: string;
  /** Variables with which the AWS SDK may use it. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * s3rver, in this process. It compares neither sums nor signatures (its own of a prefix with a slash are wrong), shows objects
 * while they are being put, lists no more than 1,000, and has no list of uploads that go on.
 */
export async function startS3rver(): Promise<S3Server> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = cleanUp.use(await temporaryFolder());
  const bucket = 'glocal';
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, allowMismatchedSignatures: true },
    ...{ directory: folder.path, configureBuckets: [{ name: bucket }] },
  });
  const { port } = await server.run();
  cleanUp.defer(() => server.close());
  return storeAt(`127.0.0.1:${port}`, bucket, { user: 'S3RVER', password: 'S3RVER' }, cleanUp.move());
}

/** MinIO, built with Go. @param folder where the program is put. @param place of what it keeps, else a temporary one. */
export async function startMinio(folder: string, place?: string): Promise<S3Server> {
  await using cleanUp = new AsyncDisposableStack();
  const program = await goInstall(MINIO, folder);
  const data = place ?? cleanUp.use(await temporaryFolder()).path;
  const bucket = 'glocal';
  const keys = { user: 'glocal', password: 'a-password-of-tests' };
  // A folder that is there when it starts is a bucket.
  await mkdir(join(data, bucket));
  const address = await deadAddress();
  const server = execa(program, ['server', '--quiet', '--address', address, data], {
    env: { MINIO_ROOT_USER: keys.user, MINIO_ROOT_PASSWORD: keys.password, MINIO_BROWSER: 'off' },
    reject: false,
  });
  cleanUp.defer(async () => {
    server.kill();
    await server;
  });
  for (let i = 0; ; i++) {
    const answered = await fetch(`http://${address}/minio/health/ready`).catch(() => undefined);
    if (answered?.ok) break;
    if (i > 300) throw new Error(`MinIO does not come up: ${(await server).stderr}`);
    await sleep(100);
  }
  return storeAt(address, bucket, keys, cleanUp.move());
}

function storeAt(
  address: string,
  bucket: string,
  { user, password }: { readonly user: string; readonly password: string },
  cleanUp: AsyncDisposableStack,
): S3Server {
  return {
    ...{ address, endpoint: `http://${address}`, bucket },
    env: { AWS_ACCESS_KEY_ID: user, AWS_SECRET_ACCESS_KEY: password },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}
