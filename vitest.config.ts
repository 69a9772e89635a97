import { configDefaults, defineConfig } from 'vitest/config';

/** `vitest --mode full` (npm run test:full) also runs the slow suites, `*.full.test.ts`. */
export default defineConfig(({ mode }) => ({
  test: {
    include: ['**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(mode === 'full' ? [] : ['**/*.full.test.ts'])],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
}));
