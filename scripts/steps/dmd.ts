/** The binaries of the DMD service and of its developer tools. Cargo knows what is out of date, so it is always asked. */
import { SetupError } from '../bootstrap/errors.mjs';
import { showStep } from '../bootstrap/progress.mjs';
import { run } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';

/** Cargo's first word about work to do: it prints none of these when everything is fresh. */
const working = /^\s*(Updating|Locking|Downloading|Compiling|Blocking)\s/m;

/** What a failed build says of a tool that is missing. */
const hints: ReadonlyArray<[sign: RegExp, hint: string]> = [
  [/linker `\w+` not found/, ' A C++ compiler is missing: install g++ or clang.'],
  [/failed to execute command: No such file or directory/, ' GNU make is missing: install make.'],
];

/** How far cargo is, in its progress bar: crates compiled, and all of them. */
const bar = /Building \[[=> ]*\] (\d+)\/(\d+)/g;
/** The progress bar as a terminal would overwrite it. */
const overwritten = /[^\n\r]*\r/g;

/** The service. */
export const ensureDmd = () => ensurePackages('glocal-dmd');

/** The service, and what benchmarks and tests measure it with. */
export const ensureDmdTools = () => ensurePackages('glocal-dmd', 'glocal-dmd-dev');

async function ensurePackages(...packages: readonly string[]): Promise<void> {
  const started = Promise.withResolvers<void>();
  let output = '';
  let show = (_howFar: string) => {};
  const build = run('cargo', ['build', '--release', ...packages.flatMap((name) => ['--package', name])], {
    cwd: root,
    env: { CARGO_TERM_PROGRESS_WHEN: 'always', CARGO_TERM_PROGRESS_WIDTH: '80', CARGO_TERM_COLOR: 'never' },
    onStderr(text) {
      output += text;
      const howFar = lastBar(text);
      if (howFar !== undefined) show(howFar);
      if (working.test(output)) started.resolve();
    },
  });
  const finished = build.then(({ code }) => {
    if (code === 0) return;
    const hint = hints.find(([sign]) => sign.test(output))?.[1] ?? '';
    throw new SetupError(
      `The DMD service could not be built (see above).${hint}`,
      output.replace(overwritten, ''),
    );
  });

  const isWorking = await Promise.race([started.promise.then(() => true), finished.then(() => false)]);
  if (isWorking)
    await showStep('dmd', 'compiling the DMD service (some minutes the first time)', ({ at }) => {
      show = at;
      return finished;
    });
}

/** What the last progress bar in a piece of cargo's output says, for people. */
export function lastBar(text: string): string | undefined {
  const [, done, all] = [...text.matchAll(bar)].at(-1) ?? [];
  return done === undefined ? undefined : `${done} of ${all} crates`;
}
