import { expect, it } from 'vitest';
import { TRIED } from './candidates.ts';
import { ESTIMATED_AT, ROWS } from './windows.ts';

const rows = (of: (t: number) => number) => Array.from({ length: ROWS }, (_, t) => [of(t), -3 * of(t)]);
const analyze = () => Promise.reject(new Error('not asked'));
const tried = (title: string) => TRIED.find((candidate) => candidate.title.startsWith(title));

it('one real mode finds where a decaying window is heading', async () => {
  const [limit = 0, other = 0] =
    (await tried('one real mode')?.estimate(
      { rows: rows((t) => 2 + 0.9 ** t), averaging: undefined, input: [], before: [] },
      analyze,
    )) ?? [];
  expect(limit).toBeCloseTo(2, 6);
  expect(other).toBeCloseTo(-6, 6);
});

it('a straight line goes on as many steps as the window had', async () => {
  const found = await tried('straight line')?.estimate(
    { rows: rows((t) => 1 + t), averaging: undefined, input: [], before: [] },
    analyze,
  );
  expect(found?.[0]).toBeCloseTo(ROWS + ESTIMATED_AT, 6);
});

it("the average's beginning is taken out of it, where there is one", async () => {
  const candidate = tried('LAST over');
  // Of constant hypergradients the average at step t is 1 − βᵗ of them.
  const averaged = rows((t) => 1 - 0.98 ** (ESTIMATED_AT - ROWS + t + 1));
  expect(
    (await candidate?.estimate({ rows: averaged, averaging: 0.98, input: [], before: [] }, analyze))?.[0],
  ).toBeCloseTo(1, 10);
  expect(
    await candidate?.estimate({ rows: averaged, averaging: undefined, input: [], before: [] }, analyze),
  ).toBeUndefined();
});
