/** A server of its own for benchmarks, with room for all that they make. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerChild, spawnTrainer } from '@glocal/trainer';

const ROOM = 1_000_000;

/** @param store the database where its studies are; by default a file of its own. @param args more flags. */
export async function benchServer(
  store?: string,
  args: readonly string[] = [],
): Promise<ServerChild & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'glocal-bench-'));
  const limits = ['--max-active-studies', '--max-studies', '--max-owner-active-studies', '--max-watchers'];
  const server = await spawnTrainer({
    args: [
      ...(store === undefined
        ? ['--store', join(folder, 'studies.db')]
        : ['--store', store, '--store-dir', folder]),
      ...['--log-level', 'warn', ...args],
      ...limits.flatMap((limit) => [limit, String(ROOM)]),
    ],
  });
  return Object.assign(server, {
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  });
}
