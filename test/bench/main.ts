/** `npm run bench`: measures, prints a table, and writes the rows as JSON when asked to. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { parseOrExit } from '../support/command-line.ts';
import { describeConditions } from './conditions.ts';
import { dashboardRows } from './dashboard.ts';
import { dmdRows, fixturesRow } from './dmd.ts';
import { endToEndRows } from './end-to-end.ts';
import { engineRows, hypergradientErrorRow } from './engine.ts';
import { innerRows } from './inner.ts';
import type { Row } from './row.ts';
import { scaleRows } from './scale/rows.ts';
import { sdkRows } from './sdk.ts';
import { serviceRows } from './service/rows.ts';
import { formatTable } from './table.ts';
import { wideResnetRows } from './wide-resnet.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const fixtures = process.env.GLOCAL_FIXTURES;
/** Files of a folder of reference numbers. */
const REFERENCES = [
  'dmd.json',
  'hyper.json',
  'hyper_mom0.f32',
  'hyper_theta0.f32',
  'hyper_xtrain.f32',
  'hyper_xval.f32',
];
const dmdFixtures = join(fixtures ?? join(repository, 'services/dmd/tests/fixtures'), 'dmd.json');
const engineFixtures = fixtures ?? join(repository, 'services/trainer/fixtures');

/**
 * What can be asked for with `--only`; a run without it does all but `fixtures`, whose rows the others have, `service`
 * and `scale`, which take minutes.
 */
const GROUPS: Readonly<Record<string, () => Promise<Row[]>>> = {
  fixtures: async () => [await hypergradientErrorRow(engineFixtures), await fixturesRow(dmdFixtures)],
  dmd: async () => [...(await dmdRows()), await fixturesRow(dmdFixtures)],
  engine: async () => [...(await engineRows()), ...(await innerRows()), ...(await wideResnetRows())],
  e2e: endToEndRows,
  sdk: sdkRows,
  dashboard: dashboardRows,
  service: serviceRows,
  scale: () => scaleRows({ trials: scaleTrials, stored: scaleStored }),
};

const command = new Command('npm run bench --')
  .description('Measures the engine, the DMD service and whole trials, and prints a table.')
  .option('--only <groups>', `some groups of rows, with commas: ${Object.keys(GROUPS).join(', ')}`, groupsOf)
  .option('--json <file>', 'also write {"rows":[{"name","value","unit","n"}]} to a file')
  .option(
    '--scale-trials <n>',
    'of `scale`: trials that a fleet trains while half of it is killed',
    sizeOf,
    200,
  )
  .option(
    '--scale-stored <n>',
    'of `scale`: trials in the database whose latencies are measured',
    sizeOf,
    100_000,
  )
  .addHelpText(
    'after',
    '\nGLOCAL_FIXTURES=DIR compares with the reference numbers in another folder (dmd.json, hyper*).',
  );

parseOrExit(command);

checkFixtures();
interface Options {
  readonly only?: readonly string[];
  readonly json?: string;
  readonly scaleTrials: number;
  readonly scaleStored: number;
}

const { only, json, scaleTrials, scaleStored } = command.opts<Options>();
const chosen = Object.keys(GROUPS).filter((group) =>
  only === undefined ? !['fixtures', 'service', 'scale'].includes(group) : only.includes(group),
);
const conditions = describeConditions();
const rows: Row[] = [];
for (const group of chosen) {
  process.stderr.write(`measuring ${group} …\n`);
  rows.push(...((await GROUPS[group]?.()) ?? []));
}
console.log(formatTable(rows, process.stdout.isTTY));
console.log(`\n${conditions}`);
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ rows }, null, 2)}\n`);
// The native backend keeps threads that would hold the process.
process.exit(0);

function groupsOf(text: string): readonly string[] {
  const groups = text.split(',');
  const unknown = groups.find((group) => !Object.hasOwn(GROUPS, group));
  if (unknown === undefined) return groups;
  throw new InvalidArgumentError(
    `There is no group "${unknown}"; there are ${Object.keys(GROUPS).join(', ')}.`,
  );
}

function sizeOf(text: string): number {
  const size = Number(text);
  if (Number.isSafeInteger(size) && size >= 10) return size;
  throw new InvalidArgumentError('It must be a whole number from 10.');
}

/** A folder of reference numbers that was asked for must have them; said before anything is measured. */
function checkFixtures(): void {
  if (fixtures === undefined) return;
  const missing = REFERENCES.filter((name) => !existsSync(join(fixtures, name)));
  if (missing.length === 0) return;
  console.error(
    `GLOCAL_FIXTURES: ${fixtures} ${existsSync(fixtures) ? `lacks ${missing.join(', ')}` : 'does not exist'}`,
  );
  process.exit(66);
}
