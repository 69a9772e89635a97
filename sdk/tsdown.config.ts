/** The published package: one module, as ESM and as CommonJS, and its types, with the generated contract inside. */
import { defineConfig } from 'tsdown';

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
    onlyImport: ['@grpc/grpc-js', '@bufbuild/protobuf', 'yaml', '@opentelemetry/api'],
    // The public types are written out; none of them is generated.
    dts: { neverBundle: [/^@glocal\/proto/] },
  },
  treeshake: { moduleSideEffects: 'no-external' },
});
