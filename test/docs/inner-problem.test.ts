/** What docs/inner-problem.md says, run. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerChild } from '@glocal/trainer';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDmd } from '../support/dmd.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/inner-problem.md'), 'utf8');
const [, program = ''] = page.match(/```ts\n(.*?)```/s) ?? [];

let dmd: ServerChild;
beforeAll(async () => {
  dmd = await startDmd();
});
afterAll(() => dmd.stop());

it('its program gets hypergradients that agree with differences of whole trainings, and a verdict', async () => {
  const { stdout } = await execa({
    cwd: join(root, 'test'),
    env: { DMD_ADDRESS: dmd.address },
    input: program,
    node: true,
  })`--input-type=module-typescript -`;
  const lines = new Map(stdout.split('\n').map((line) => [line.split(' ', 1)[0], line.split(' ').slice(1)]));
  const hypergradient = lines.get('hypergradient')?.map(Number) ?? [];
  const differences = lines.get('differences')?.map(Number) ?? [];
  expect(hypergradient).toHaveLength(3);
  const scale = Math.max(...differences.map(Math.abs));
  hypergradient.forEach((value, k) => {
    // Differences of float32 losses have few digits; a wrong sign or a missing term is far outside.
    expect(Math.abs(value - (differences[k] ?? Number.NaN))).toBeLessThan(5e-3 * scale);
    expect(Math.abs(value)).toBeGreaterThan(0);
  });
  expect(lines.get('verdict')?.join(' ')).toMatch(/deviation|modes|component/);
});
