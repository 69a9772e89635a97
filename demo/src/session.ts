/** One comparison from its first run to its last, over interruptions: started again with the same options, it goes on. */

import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GlocalClient } from '@glocal/sdk';
import type { DemoOptions } from './options.ts';

const FILE = 'unfinished.json';

/** What has to be the same for going on. */
interface Kept {
  readonly id: string;
  readonly steps: number;
  readonly seed: number;
  readonly runs: readonly string[];
}

export interface Session {
  /** Equal for the same session: what makes the requests of its runs the same. */
  readonly id: string;
  /** Whether it was interrupted before. */
  readonly resumed: boolean;
  /** Nothing is left to go on with. */
  end(): Promise<void>;
}

/** Goes on with the session of the folder, or begins one; studies that another one left there are cancelled then. */
export async function openSession(
  { steps, seed, runs, out }: DemoOptions,
  client: Pick<GlocalClient, 'studies'>,
): Promise<Session> {
  const path = join(out, FILE);
  const wanted = { steps, seed, runs: runs.map(({ id }) => id) };
  const kept = await readKept(path);
  const end = () => rm(path, { force: true });
  if (kept !== undefined && JSON.stringify({ ...wanted, id: kept.id }) === JSON.stringify(kept)) {
    return { id: kept.id, resumed: true, end };
  }
  for await (const study of client.studies.list()) if (study.state === 'ACTIVE') await study.cancel();
  const id = randomUUID();
  await writeFile(path, JSON.stringify({ ...wanted, id } satisfies Kept));
  return { id, resumed: false, end };
}

/** Undefined when there is none that can be read. */
async function readKept(path: string): Promise<Kept | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Kept;
  } catch {
    return undefined;
  }
}
