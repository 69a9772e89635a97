/** The SDK as its users get it: JavaScript and type declarations in sdk/dist, with the generated contract inside. */
import { runQuietly } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';
import { ensure } from './stamp.ts';

export function ensureSdk(): Promise<void> {
  return ensure({
    name: 'sdk',
    doing: 'building the SDK',
    inputs: [
      'sdk/src/**/*.ts',
      'sdk/package.json',
      'sdk/tsdown.config.ts',
      'proto/gen/**/*.ts',
      'node_modules/tsdown/package.json',
      'tsconfig.json',
    ],
    except: ['**/*.test.ts'],
    outputs: ['sdk/dist/**'],
    make: () =>
      runQuietly('The SDK could not be built (see above).', 'npm', ['run', 'build', '--workspace', 'sdk'], {
        cwd: root,
      }),
  });
}
