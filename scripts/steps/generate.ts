/** TypeScript from the .proto files (buf and ts-proto). */
import { join } from 'node:path';
import { runQuietly } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';
import { ensure } from './stamp.ts';

export function ensureGenerated(): Promise<void> {
  return ensure({
    name: 'contract',
    doing: 'generating TypeScript from proto/',
    inputs: [
      'proto/**/*.proto',
      'proto/buf*.yaml',
      'node_modules/@bufbuild/buf/package.json',
      'node_modules/google-proto-files/package.json',
      'node_modules/ts-proto/package.json',
    ],
    outputs: ['proto/gen/**'],
    make: () =>
      runQuietly('The contract in proto/ could not be generated (see above).', 'buf', ['generate'], {
        cwd: join(root, 'proto'),
      }),
  });
}
