/** The files of a small project that runs: a study as a file, the same as a program, and how to run both. */

import { basename, relative, resolve } from 'node:path';
import { VERSION } from '../version.ts';

/** What an npm project has of ours. */
export interface Manifest {
  readonly name?: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const SCRIPTS = { serve: 'glocal serve', tune: 'node tune.mjs' };
const PACKAGES = ['@glocal/cli', '@glocal/sdk', '@glocal/trainer'];

/** Another project, from which this one takes its packages where it has them as files. */
export interface Around {
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * The manifest with what the project needs; what it has already stays.
 * @param folder of the project
 */
export function withProject(before: Manifest, folder: string, around: Around): Manifest {
  const name = basename(folder);
  const needed = Object.fromEntries(
    PACKAGES.map((dependency) => [dependency, specifier(dependency, folder, around)]),
  );
  return {
    ...{ name, private: true, type: 'module' },
    ...before,
    scripts: { ...SCRIPTS, ...before.scripts },
    dependencies: { ...needed, ...before.dependencies },
  };
}

const FILE = 'file:';

/** A version, or the file that the project around has it from: whoever installs packages from files has no registry with them. */
function specifier(dependency: string, folder: string, around: Around): string {
  const there = around.manifest.dependencies?.[dependency];
  if (there?.startsWith(FILE) !== true) return `^${VERSION}`;
  return `${FILE}${relative(folder, resolve(around.folder, there.slice(FILE.length)))}`;
}

export const STUDY = `# What \`npm run tune\` and \`npx glocal study create -f study.yaml --watch\` run.
displayName: a first study
problem:
  dataset: fashion-mnist-10k
  model: lenet
  optimizer: schedule-free
space:
  # Moved while training, each between its bounds, from init on.
  lr: { min: 0.0001, max: 1, init: 0.01, scale: log }
  beta: { min: 0, max: 1, init: 0.9 }
  weightDecay: { min: 0, max: 1, init: 0.001 }
training: { steps: 400, seeds: [0] }
method: { estimator: glocal }
`;

export const PROGRAM = `import { readFile, writeFile } from 'node:fs/promises';
import { GlocalClient, specFromYaml } from '@glocal/sdk';

const client = await GlocalClient.connect();
const study = await client.studies.create(specFromYaml(await readFile('study.yaml', 'utf8')));
console.log(study.name);

for await (const event of study.watch()) {
  if (event.type !== 'outerStep') continue;
  const { step, nextValues, averagedValidation, verdict } = event;
  console.log(\`step \${step}: lr \${nextValues.lr.toFixed(4)}, loss \${averagedValidation.loss.toFixed(3)}, \${verdict}\`);
}

const { state, best } = await study.result();
console.log(\`\${state}, test accuracy \${best?.averagedTest?.accuracy}\`);
if (best) await writeFile('schedule.csv', best.schedule.toCsv());
client.close();
`;

export const readme = (name: string): string => `# ${name}

A study that Glocal tunes while it trains. \`study.yaml\` says what, \`tune.mjs\` runs it and keeps the schedule.

\`\`\`sh
npm run serve   # in one terminal: the trainer, until Ctrl-C; its first start sets its runtime up, which may take minutes
npm run tune    # in another: the study
\`\`\`

Without a program: \`npx glocal study create -f study.yaml --watch\`; Ctrl-C leaves the study running.
\`npx glocal schedule plot STUDY\` draws it, \`npx glocal doctor\` says what is wrong when something is.
`;
