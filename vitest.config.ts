import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

// Tests start hundreds of processes, which take half as long with their compiled sources at hand.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '.glocal', 'test', 'compile-cache');

/** `vitest --mode full` (npm run test:full) also runs the slow suites, `*.full.test.ts`, and draws new cases. */
export default defineConfig(({ mode }) => ({
  test: {
    include: ['**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(mode === 'full' ? [] : ['**/*.full.test.ts'])],
    setupFiles: mode === 'full' ? [] : ['test/support/same-draws.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Advice of tfjs to use the native runtime, which tests on the `cpu` backend do without on purpose.
    onConsoleLog: (text) => !text.includes('looks like you are running TensorFlow.js in Node.js'),
  },
}));
