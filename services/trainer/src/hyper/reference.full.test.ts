import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { initBackend } from '../backend/select.ts';
import { hypergradientFixtureError } from './reference.ts';

it('hypergradients of LeNet agree with the reference on backend cpu', { timeout: 300_000 }, async () => {
  await initBackend({ backend: 'cpu', log: () => {} });
  const folder = fileURLToPath(new URL('../../fixtures', import.meta.url));
  expect(await hypergradientFixtureError(folder)).toBeLessThanOrEqual(1e-4);
});
