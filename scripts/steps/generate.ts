/** TypeScript from the .proto files (buf and ts-proto), and the descriptors that servers answer reflection with. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';
import { keepEveryKey } from './keep-every-key.ts';
import { keepUnknownFields } from './keep-unknown-fields.ts';
import { ensure } from './stamp.ts';

export function ensureGenerated(): Promise<void> {
  return ensure({
    name: 'contract',
    doing: 'generating TypeScript from proto/',
    inputs: [
      'proto/**/*.proto',
      'proto/buf*.yaml',
      'scripts/steps/keep-{every-key,unknown-fields}.ts',
      'node_modules/@bufbuild/buf/package.json',
      'node_modules/google-proto-files/package.json',
      'node_modules/ts-proto/package.json',
      'node_modules/grpc-health-check/package.json',
    ],
    outputs: ['proto/gen/**'],
    async make() {
      await buf('generate');
      for (const file of globSync(join(root, 'proto/gen/**/*.ts'))) {
        writeFileSync(file, keepEveryKey(keepUnknownFields(readFileSync(file, 'utf8'))));
      }
      await buf('build', '--as-file-descriptor-set', '-o', 'gen/contract.binpb');
      const health = join(root, 'node_modules/grpc-health-check/proto');
      await buf('build', health, '--as-file-descriptor-set', '-o', 'gen/health.binpb');
    },
  });
}

const buf = (...args: string[]): Promise<void> =>
  runQuietly('The contract in proto/ could not be generated (see above).', 'buf', args, {
    cwd: join(root, 'proto'),
  });
