/** What docs/models.md says, run. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILT_IN } from '@glocal/trainer/engine';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/models.md'), 'utf8');
const [program = '', family = ''] = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? '');

describe('docs/models.md', () => {
  it('has a program that brings a model and trains it with hypergradients', async () => {
    const { stdout } = await execa({
      cwd: join(root, 'test'),
      input: program,
      node: true,
    })`--input-type=module-typescript -`;
    const figures = Object.fromEntries(
      stdout.split('\n').map((line) => line.split(' ') as [string, string]),
    ) as Record<string, string>;
    expect(Number(figures.before)).toBeGreaterThan(2);
    expect(Number(figures.after)).toBeLessThan(1.2);
    // More learning helps a short training.
    expect(Number(figures.hypergradient)).toBeLessThan(0);
  });

  it('shows the code of a model as it is', () => {
    const code = readFileSync(join(root, 'services/trainer/src/model/logistic.ts'), 'utf8');
    expect(code).toContain(family.trim());
  });

  it('lists every model with its number of weights', () => {
    const rows = page.split('\n').flatMap((line) => {
      const [, id, , , weights] = line.split('|').map((cell) => cell.trim());
      return weights && id?.startsWith('`')
        ? [[id.slice(1, -1), weights.split(' ')[0]?.replace(',', '')]]
        : [];
    });
    const models = BUILT_IN.map(({ id, weights }) => [id, weights.toLocaleString('en').replace(',', '')]);
    expect(rows).toEqual(models);
  });
});
