/** What TypeScript takes for the types of a search space. */

import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Row } from '../row.ts';
import { median } from '../statistics.ts';

const root = join(import.meta.dirname, '../../..');
const PARAMETERS = 50;
/** Names of each categorical. */
const BRANCHES = ['a', 'b', 'c'];
const ROUNDS = 7;

/** What both programs import, so that declarations are read and checked in both. */
const IMPORTS = `
import { categorical, float, GlocalClient, int, space } from '@glocal/sdk';
export { categorical, float, GlocalClient, int, space };
`;

/**
 * TypeScript's own check time for a program with a space of 50 parameters, most of which exist only for a value of a categorical, and with
 * a use of each in an event; less that of a program without. `sdk.typecheck_ms_per_space_of_50`: four categoricals with 46 parameters
 * below them, which the compiler tells apart by the categorical's value. `sdk.typecheck_ms_per_space_of_50_in_10`: ten with 40, which are
 * more than it tells apart.
 */
export async function typeRows(): Promise<Row[]> {
  const place = join(root, '.glocal', 'test');
  await mkdir(place, { recursive: true });
  // In the checkout, where the SDK is found.
  await using folder = await mkdtempDisposable(join(place, 'types-'));
  const row = async (name: string, program: string): Promise<Row> => {
    const extra: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const withSpace = await checkTime(folder.path, `${IMPORTS}${program}`);
      extra.push(withSpace - (await checkTime(folder.path, IMPORTS)));
    }
    return { name, value: median(extra), unit: 'ms', n: ROUNDS };
  };
  return [
    await row('sdk.typecheck_ms_per_space_of_50', spaceOf(4, true)),
    await row('sdk.typecheck_ms_per_space_of_50_in_10', spaceOf(10, false)),
  ];
}

/** A space of so many categoricals; a study of it, and a use of each of its names in an event. */
function spaceOf(categoricals: number, areToldApart: boolean): string {
  const below = Array.from({ length: PARAMETERS - categoricals }, (_, i) => ({
    name: `v${i}`,
    kind: i % 5 === 0 ? 'int({ min: 1, max: 8 })' : `float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' })`,
    parent: `p${i % categoricals}`,
    branch: BRANCHES[Math.floor(i / categoricals) % BRANCHES.length],
  }));
  const parents = Array.from({ length: categoricals }, (_, k) => `p${k}`);
  const branchesOf = (parent: string) =>
    BRANCHES.map((branch) => ({
      branch,
      children: below.filter((one) => one.parent === parent && one.branch === branch),
    }));
  const parameters = parents.map((parent) => {
    const branches = branchesOf(parent).map(
      ({ branch, children }) =>
        `${branch}: { ${children.map(({ name, kind }) => `${name}: ${kind}`).join(', ')} }`,
    );
    return `${parent}: categorical({ ${branches.join(', ')} })`;
  });
  const uses = parents.flatMap((parent) =>
    branchesOf(parent).map(({ branch, children }) => {
      const type = areToldApart ? 'number[]' : '(number | undefined)[]';
      return `
  if (values.${parent} === '${branch}') {
    const numbers: ${type} = [${children.map(({ name }) => `values.${name}`).join(', ')}];
    console.log(numbers);
  }`;
    }),
  );
  return `
const client = new GlocalClient();
const study = await client.studies.create({
  space: space({ ${parameters.join(', ')} }),
  problem: { dataset: 'd', model: 'm', optimizer: 'o' },
  training: { steps: 100 },
  method: { estimator: 'glocal' },
});
for await (const event of study.watch()) {
  if (event.type !== 'outerStep') continue;
  const { values } = event;${uses.join('')}
}
`;
}

/** Milliseconds. @throws Error when the program has an error. */
async function checkTime(folder: string, program: string): Promise<number> {
  await writeFile(join(folder, 'program.ts'), program);
  const settings = {
    types: ['node'],
    skipLibCheck: true,
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    noEmit: true,
  };
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: settings, files: ['program.ts'] }),
  );
  const { stdout, exitCode } = await execa('tsc', ['--extendedDiagnostics', '--project', folder], {
    preferLocal: true,
    localDir: root,
    reject: false,
  });
  const [, seconds] = stdout.match(/^Check time:\s*([\d.]+)s/m) ?? [];
  if (exitCode !== 0 || seconds === undefined) throw new Error(stdout);
  return Number(seconds) * 1e3;
}
