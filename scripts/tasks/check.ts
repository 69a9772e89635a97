/** `npm run check` and `npm run format`: everything that judges the sources without running them. */
import { join } from 'node:path';
import { run } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';

interface Tool {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** @default the checkout's top folder */
  readonly cwd?: string;
}

const proto = join(root, 'proto');

const checks: readonly Tool[] = [
  { name: 'biome', command: ['biome', 'check', '--error-on-warnings'] },
  { name: 'types', command: ['tsc', '--noEmit', '--project', '.'] },
  // What runs in a browser has other globals.
  { name: 'types, page', command: ['tsc', '--noEmit', '--project', 'dashboard/src/page'] },
  { name: 'buf lint', command: ['buf', 'lint'], cwd: proto },
  { name: 'buf format', command: ['buf', 'format', '--diff', '--exit-code'], cwd: proto },
  { name: 'buf breaking', command: ['buf', 'breaking', '--against', 'baseline.binpb'], cwd: proto },
  { name: 'rustfmt', command: ['cargo', 'fmt', '--check'] },
  { name: 'clippy', command: ['cargo', 'clippy', '--workspace', '--all-targets', '--', '-D', 'warnings'] },
  {
    name: 'clippy, lib',
    command: [
      ...([
        'cargo',
        'clippy',
        '--package',
        'glocal-dmd',
        '--no-default-features',
        '--lib',
        '--test',
        'library',
      ] as const),
      ...['--', '-D', 'warnings'],
    ],
  },
];

const formatters: readonly Tool[] = [
  { name: 'biome', command: ['biome', 'check', '--write'] },
  { name: 'buf format', command: ['buf', 'format', '--write'], cwd: proto },
  { name: 'rustfmt', command: ['cargo', 'fmt'] },
];

export const check = () => runAll(checks);
export const format = () => runAll(formatters);

/** Runs all tools, whether one fails or not; shows the output of those that failed. */
async function runAll(tools: readonly Tool[]): Promise<number> {
  const failed: string[] = [];
  for (const { name, command, cwd = root } of tools) {
    const start = performance.now();
    const [program, ...args] = command;
    const { code, output } = await run(program, args, { cwd, capture: true });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${name.padEnd(13)}${code === 0 ? 'ok' : 'FAILED'} ${seconds} s`);
    if (code === 0) continue;
    failed.push(name);
    console.log(output.trimEnd());
  }
  if (failed.length > 0) console.log(`\nFailed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}
