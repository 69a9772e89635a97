/** The SDK as its users get it: JavaScript, type declarations and llms.txt in sdk/dist, with the generated contract inside. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';
import { llmsText } from './llms.ts';
import { ensure } from './stamp.ts';

export function ensureSdk(): Promise<void> {
  return ensure({
    name: 'sdk',
    doing: 'building the SDK',
    inputs: [
      'sdk/src/**/*.ts',
      'sdk/package.json',
      'sdk/README.md',
      'scripts/steps/llms.ts',
      'sdk/tsdown.config.ts',
      'proto/gen/**/*.ts',
      'proto/unknown-fields.ts',
      // The rules of specifications and what the outer loop shares with clients, with what they are made of.
      'services/trainer/src/public/{outer,rules}.ts',
      'services/trainer/src/{study,resource,hyper,data}/**/*.ts',
      'services/trainer/src/inner/reweighting-size.ts',
      'services/trainer/src/loop/adam.ts',
      'services/trainer/src/external/scales.ts',
      'node_modules/{tsdown,yaml,pure-rand}/package.json',
      'tsconfig.json',
    ],
    except: ['**/*.test.ts'],
    outputs: ['sdk/dist/**'],
    async make() {
      await runQuietly(
        'The SDK could not be built (see above).',
        'npm',
        ['run', 'build', '--workspace', 'sdk'],
        { cwd: root },
      );
      const read = (file: string): string => readFileSync(join(root, 'sdk', file), 'utf8');
      writeFileSync(join(root, 'sdk/dist/llms.txt'), llmsText(read('README.md'), read('dist/index.d.mts')));
    },
  });
}
