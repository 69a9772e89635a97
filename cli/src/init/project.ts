/** The files of a small project that runs: a study as a file, the same as a program, and how to run both. */

import { basename, relative, resolve, sep } from 'node:path';
import { VERSION } from '../version.ts';

/** What an npm project has of ours. */
export interface Manifest {
  readonly name?: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const SCRIPTS = { serve: 'glocal serve', tune: 'node tune.mjs' } as const;
type Script = keyof typeof SCRIPTS;
const PACKAGES = ['@glocal/cli', '@glocal/sdk', '@glocal/trainer'];
const OURS = '@glocal/';

/** Another project, from which this one takes its packages where it has them as files. */
export interface Around {
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * The manifest with what the project needs; what it has already stays.
 * @param folder of the project
 * @param around nearest first
 */
export function withProject(before: Manifest, folder: string, around: readonly Around[]): Manifest {
  const isNew = Object.keys(before).length === 0;
  const versions = Object.fromEntries(PACKAGES.map((dependency) => [dependency, `^${VERSION}`]));
  const files = around.toReversed().map((other) => filesOf(other, folder));
  return {
    ...(isNew ? { name: packageName(basename(folder)), private: true, type: 'module' } : before),
    scripts: { ...SCRIPTS, ...before.scripts },
    dependencies: { ...versions, ...Object.assign({}, ...files), ...before.dependencies },
  };
}

const FILE = 'file:';

/**
 * Our packages that another project has from files, also those that only the others need: whoever installs packages from files has no
 * registry with them.
 */
function filesOf({ folder: origin, manifest }: Around, folder: string): Record<string, string> {
  const given = Object.entries({ ...manifest.devDependencies, ...manifest.dependencies });
  return Object.fromEntries(
    given
      .filter(([name, from]) => name.startsWith(OURS) && from.startsWith(FILE))
      .map(([name, from]) => [name, `${FILE}${relative(folder, resolve(origin, from.slice(FILE.length)))}`]),
  );
}

/** The project that a module is installed in, if it is in one. */
export function installation(folder: string): string[] {
  const [project, ...below] = folder.split(`${sep}node_modules${sep}`);
  return project === undefined || below.length === 0 ? [] : [project];
}

/** As npm takes names of packages. */
function packageName(text: string): string {
  const letters = text.toLowerCase().normalize('NFKD').replaceAll(/\p{M}/gu, '');
  return letters.replaceAll(/[^a-z0-9._-]+/g, '-').replaceAll(/^[._-]+|-+$/g, '') || 'study';
}

/** How a script of ours is run in a project, which may have another of its name. */
const runOf = (script: Script, { scripts }: Manifest): string => {
  if (scripts?.[script] === SCRIPTS[script]) return `npm run ${script}`;
  return script === 'serve' ? `npx ${SCRIPTS.serve}` : SCRIPTS.tune;
};

export const STUDY = `# What tune.mjs and \`npx glocal study create -f study.yaml --watch\` run.
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

/** Both commands, each with what it is run in. */
export function commandLines(manifest: Manifest): { readonly serve: string; readonly tune: string } {
  const [serve, tune] = [runOf('serve', manifest), runOf('tune', manifest)];
  const width = Math.max(serve.length, tune.length);
  return {
    serve: `${serve.padEnd(width)}   # in one terminal`,
    tune: `${tune.padEnd(width)}   # in another`,
  };
}

/** @param manifest with the scripts */
export function readme(name: string, manifest: Manifest): string {
  const { serve, tune } = commandLines(manifest);
  return `# ${name}

A study that Glocal tunes while it trains. \`study.yaml\` says what, \`tune.mjs\` runs it and keeps the schedule.

\`\`\`sh
${serve}: the trainer, until Ctrl-C; its first start sets its runtime up, which may take minutes
${tune}: the study
\`\`\`

Without a program: \`npx glocal study create -f study.yaml --watch\`; Ctrl-C leaves the study running.
\`npx glocal schedule plot STUDY\` draws it, \`npx glocal doctor\` says what is wrong when something is.
`;
}
