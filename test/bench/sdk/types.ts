/** What TypeScript takes for the types of a search space. */

import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Row } from '../row.ts';
import { median } from '../statistics.ts';

const root = join(import.meta.dirname, '../../..');
const PARAMETERS = 50;
const ROUNDS = 7;

/** What both programs import, so that declarations are read and checked in both. */
const IMPORTS = `
import { categorical, float, GlocalClient, int, space } from '@glocal/sdk';
export { categorical, float, GlocalClient, int, space };
`;

/** `sdk.typecheck_ms_per_space_of_50`: TypeScript's own check time for a program with such a space, less that of one without. */
export async function typeRows(): Promise<Row[]> {
  const place = join(root, '.glocal', 'test');
  await mkdir(place, { recursive: true });
  // In the checkout, where the SDK is found.
  await using folder = await mkdtempDisposable(join(place, 'types-'));
  const extra: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const withSpace = await checkTime(folder.path, `${IMPORTS}${spaceOf(PARAMETERS)}`);
    extra.push(withSpace - (await checkTime(folder.path, IMPORTS)));
  }
  return [{ name: 'sdk.typecheck_ms_per_space_of_50', value: median(extra), unit: 'ms', n: ROUNDS }];
}

/** A space, a study of it, and a use of each of its names in an event. */
function spaceOf(count: number): string {
  const names = Array.from({ length: count }, (_, i) => `p${i}`);
  const parameters = names.map((name, i) => {
    if (i % 5 === 0) return `${name}: categorical(['a${i}', 'b${i}'])`;
    if (i % 5 === 1) return `${name}: int({ min: 1, max: ${i + 1} })`;
    return `${name}: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' })`;
  });
  const moving = names.filter((_, i) => i % 5 > 1);
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
  const values: number[] = [${moving.map((name) => `event.values.${name}`).join(', ')}];
  console.log(values);
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
