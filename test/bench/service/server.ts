/** A server of its own for benchmarks, with room for all that they make. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerChild, spawnTrainer } from '@glocal/trainer';

const ROOM = 1_000_000;

export async function benchServer(): Promise<ServerChild & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'glocal-bench-'));
  const limits = ['--max-active-studies', '--max-studies', '--max-owner-active-studies', '--max-watchers'];
  const server = await spawnTrainer({
    args: [
      ...['--store', join(folder, 'studies.db'), '--log-level', 'warn'],
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
