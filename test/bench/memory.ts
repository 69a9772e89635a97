/** Memory of training, in a process that does nothing else. */

import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Row } from './row.ts';

/** What `engine-memory.ts` can train. */
export type Trained = 'lenet' | 'wide-resnet';

/** Largest resident memory of a process that trains. */
export async function memoryRowOf(name: string, what: Trained, steps: number): Promise<Row> {
  const program = fileURLToPath(new URL('engine-memory.ts', import.meta.url));
  const { stdout } = await execa(process.execPath, [program, what]);
  return { name, value: Number(stdout), unit: 'MB', n: steps };
}
