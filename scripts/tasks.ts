/**
 * The npm scripts: for each task, the set-up that it needs and what it then runs. Started by `run.mjs`, on Node 24.
 */
import { describe } from './bootstrap/errors.mjs';
import { run } from './bootstrap/run-process.mjs';
import { root } from './root.ts';
import { ensureDashboard } from './steps/dashboard.ts';
import { ensureDmd, ensureDmdTools } from './steps/dmd.ts';
import { ensureGenerated } from './steps/generate.ts';
import { ensureNative, retryNative } from './steps/native.ts';
import { ensurePackages } from './steps/packages.ts';
import { ensureSdk } from './steps/sdk.ts';
import { check, format } from './tasks/check.ts';
import { nothingRan, summary } from './tasks/counts.ts';
import { docs } from './tasks/docs.ts';
import { pack } from './tasks/pack.ts';
import { test } from './tasks/test.ts';
import { needsServices } from './tasks/trainer.ts';

type Step = () => Promise<void>;

interface Task {
  readonly help: string;
  /** Set-up steps, in order; each does nothing when it is up to date. What is needed may depend on the arguments. */
  readonly needs: readonly Step[] | ((args: readonly string[]) => readonly Step[]);
  /** @returns the exit code */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** What the TypeScript sources need in order to be checked. */
const sources = [ensureGenerated, ensureSdk];
const everything = [...sources, ensureNative, ensureDmd];
const everythingForDevelopers = [...sources, ensureDashboard, ensureNative, ensureDmdTools];
const everythingAgain = [...sources, ensureDashboard, retryNative, ensureDmd];

/** What commands of `glocal` need beside the sources, by their flags. */
const NEEDS_OF_COMMANDS: Readonly<Record<string, (flags: readonly string[]) => readonly Step[]>> = {
  serve: (flags) => (needsServices(flags) ? everything : sources),
  dashboard: () => [...sources, ensureDashboard],
};

const tasks: Readonly<Record<string, Task>> = {
  setup: { help: 'all set-up steps, nothing else', needs: everythingAgain, run: reportReady },
  demo: {
    help: 'tune a network and compare',
    needs: (args) => (args.includes('--dashboard') ? [...everything, ensureDashboard] : everything),
    run: program('demo/src/main.ts'),
  },
  trainer: {
    help: 'the trainer server',
    needs: (args) => (needsServices(args) ? everything : [ensureGenerated]),
    run: program('services/trainer/src/main.ts'),
  },
  glocal: {
    help: 'the command line',
    needs: ([command = '', ...flags]) => NEEDS_OF_COMMANDS[command]?.(flags) ?? sources,
    run: program('cli/src/main.ts'),
  },
  bench: {
    help: 'the benchmark table',
    needs: everythingForDevelopers,
    run: program('test/bench/main.ts'),
  },
  experiment: {
    help: 'compares ways to choose hyperparameters',
    needs: everything,
    run: program('experiments/src/main.ts'),
  },
  faults: {
    help: 'kills parts of the service, and accounts for everything',
    needs: everything,
    run: program('test/faults/main.ts'),
  },
  scale: {
    help: 'servers and workers on one database, half of them killed',
    needs: everything,
    run: program('test/scale/main.ts'),
  },
  test: {
    help: 'all tests but the slow ones',
    needs: everythingForDevelopers,
    run: (args) => test(args, { full: false }),
  },
  'test:full': {
    help: 'all tests',
    needs: everythingForDevelopers,
    run: (args) => test(args, { full: true }),
  },
  check: { help: 'formats, lints, types, the contract', needs: sources, run: check },
  pack: { help: 'the packages as tarballs', needs: [ensureGenerated, ensurePackages], run: pack },
  docs: { help: "the SDK's API as pages", needs: [ensureGenerated], run: docs },
  format: { help: 'rewrites the sources as `check` wants them', needs: [], run: format },
};

/** A task that runs one of the product's programs with the arguments given. */
function program(file: string): Task['run'] {
  return async (args) => (await run(process.execPath, [file, ...args], { cwd: root })).code;
}

async function reportReady(): Promise<number> {
  console.error('Everything is set up.');
  return 0;
}

async function main([name = '', ...args]: readonly string[]): Promise<number> {
  const task = tasks[name];
  if (task === undefined) {
    console.error(`${name === '' ? 'No task given' : `No task is called ${name}`}. There are:`);
    for (const [other, { help }] of Object.entries(tasks)) console.error(`  ${other.padEnd(10)} ${help}`);
    return 64;
  }
  try {
    const steps = typeof task.needs === 'function' ? task.needs(args) : task.needs;
    for (const ensure of steps) await ensure();
    return await task.run(args);
  } catch (error) {
    console.error(describe(error));
    if (name.startsWith('test')) console.log(summary(nothingRan));
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
