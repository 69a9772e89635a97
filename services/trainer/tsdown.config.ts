/**
 * The program as it is installed, in `dist/lib`: each module a file of its own at the place that it has in `src`, so that
 * what a module starts or reads beside it is there, too. Only the contract's generated code is put in from outside.
 */
import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';

/** How a module names a program that it starts, as a process or a thread. */
const PROGRAM = /new URL\('(\.\/[^']+)\.ts', import\.meta\.url\)/g;

const sources = globSync('src/**/*.ts', { exclude: ['**/*.test.ts'] });
const programs = sources.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(PROGRAM)].map(
    ([, name]) => `${file.slice(0, file.lastIndexOf('/'))}/${name}.ts`,
  ),
);

/** What other packages import. */
const entries = ['src/public/index.ts', 'src/public/problem.ts'];

const shared = {
  root: 'src',
  outDir: 'dist/lib',
  fixedExtension: false,
  format: 'esm',
  platform: 'node',
  target: 'node24',
} as const;

export default defineConfig([
  {
    ...shared,
    entry: ['src/main.ts', ...entries, ...new Set(programs)],
    unbundle: true,
    dts: false,
    deps: { alwaysBundle: [/^@glocal\/proto/], onlyBundle: [/^@glocal\/proto/] },
    plugins: [
      {
        name: 'programs',
        transform: (code) => code.replaceAll(PROGRAM, "new URL('$1.js', import.meta.url)"),
      },
    ],
    copy: [
      { from: 'src/backend/*.cc', to: 'dist/lib/backend' },
      { from: 'src/backend/native-kernels', to: 'dist/lib/backend' },
      { from: '../../proto/gen/*.binpb', to: 'dist/lib/descriptors' },
      { from: 'data/fashion-mnist-10k', to: 'dist/data' },
    ],
  },
  // Their types, each with all that it needs of other modules.
  { ...shared, entry: entries, clean: false, dts: { emitDtsOnly: true }, deps: { neverBundle: true } },
]);
