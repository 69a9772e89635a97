/** The published package: one module and its types, with the generated contract inside. */
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: 'src/index.ts',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  dts: true,
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
