/** The published package: one module, as ESM and as CommonJS, and its types, with the generated contract inside. */
import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';

/** Packages whose code is inside: as files of their own those of `yaml` would take as long to load as all the rest of ours. */
const INSIDE = ['pure-rand', 'yaml'];

/** What their licences ask for: their text beside their code. */
const licences = (): string =>
  INSIDE.map((name) => {
    const of = (file: string) =>
      readFileSync(new URL(`../node_modules/${name}/${file}`, import.meta.url), 'utf8');
    return `${name} ${JSON.parse(of('package.json')).version}\n\n${of('LICENSE').trim()}\n`;
  }).join(`\n${'-'.repeat(80)}\n\n`);

export default defineConfig({
  entry: 'src/index.ts',
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20',
  dts: true,
  // It advises against CommonJS, which programs and test runners that cannot `require` a module still need.
  checks: { legacyCjs: false },
  // The types name Symbol.asyncDispose, which not every `lib` setting knows.
  banner: { dts: '/// <reference lib="esnext.disposable" />' },
  deps: {
    // The API of OpenTelemetry is asked for as the program runs, and done without where it is not there.
    onlyImport: ['@grpc/grpc-js', '@bufbuild/protobuf', '@opentelemetry/api'],
    onlyBundle: INSIDE,
    // The public types are written out; none of them is generated.
    dts: { neverBundle: [/^@glocal\/proto/] },
  },
  plugins: [
    {
      name: 'licences',
      generateBundle() {
        this.emitFile({ type: 'asset', fileName: 'licences-of-others.txt', source: licences() });
      },
    },
  ],
  treeshake: { moduleSideEffects: 'no-external' },
});
