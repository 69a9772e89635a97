/** `npm run bench`: measures, prints a table, compares with an earlier run, and writes rows and report when asked to. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { parseOrExit } from '../support/command-line.ts';
import { describeConditions } from './conditions.ts';
import { dashboardRows } from './dashboard.ts';
import { deployRows } from './deploy.ts';
import { dmdRows, fixturesRow } from './dmd.ts';
import { endToEndRows } from './end-to-end.ts';
import { engineRows, hypergradientErrorRow } from './engine.ts';
import { innerRows } from './inner.ts';
import { manifestsRow } from './manifests.ts';
import { quickRows } from './quick.ts';
import { comparisonTable, markdownReport } from './report.ts';
import { rolloutRows } from './rollout.ts';
import { mergeRepeats, type Row } from './row.ts';
import { type Run, RunFileError, readRun } from './run-file.ts';
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

/** Groups that a run without `--only` leaves out: the others have their rows, or they take minutes. */
const ON_DEMAND = ['fixtures', 'quick', 'service', 'scale', 'deploy', 'rollout'];

/** What can be asked for with `--only`; `all` is each of them but the two whose rows others have. */
const GROUPS: Readonly<Record<string, () => Promise<Row[]>>> = {
  quick: quickRows,
  fixtures: async () => [await hypergradientErrorRow(engineFixtures), await fixturesRow(dmdFixtures)],
  dmd: async () => [...(await dmdRows()), await fixturesRow(dmdFixtures)],
  engine: async () => [...(await engineRows()), ...(await innerRows()), ...(await wideResnetRows())],
  e2e: endToEndRows,
  sdk: sdkRows,
  dashboard: dashboardRows,
  deploy: async () => [...(await deployRows()), await manifestsRow()],
  service: serviceRows,
  rollout: rolloutRows,
  scale: () => scaleRows({ trials: scaleTrials, stored: scaleStored }),
};

const command = new Command('npm run bench --')
  .description('Measures the engine, the DMD service and whole trials, and prints a table.')
  .option(
    '--only <groups>',
    `some groups of rows, with commas: ${Object.keys(GROUPS).join(', ')}; or all`,
    groupsOf,
  )
  .option(
    '--json <file>',
    'also write {"conditions","measured","rows":[{"name","value","unit","n"}]} to a file',
  )
  .option('--markdown <file>', 'also write a report, with the comparison if there is one')
  .option('--compare <file>', 'ratios against an earlier run, which --json wrote')
  .option(
    '--repeats <n>',
    'measure everything so often: figures are medians, and a comparison knows how much they differ by themselves',
    countOf,
    1,
  )
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
  readonly markdown?: string;
  readonly compare?: string;
  readonly repeats: number;
  readonly scaleTrials: number;
  readonly scaleStored: number;
}

const { only, json, markdown, compare, repeats, scaleTrials, scaleStored } = command.opts<Options>();
// Before hours are spent on what it would be compared with.
const earlier = compare === undefined ? undefined : readEarlier(compare);
const chosen = Object.keys(GROUPS).filter((group) => only?.includes(group) ?? !ON_DEMAND.includes(group));
const run = await measure();
console.log(formatTable(run.rows, process.stdout.isTTY));
console.log(`\n${run.conditions}`);
if (earlier !== undefined) console.log(`\n${comparisonTable(earlier, run, process.stdout.isTTY)}`);
if (json !== undefined) writeFileSync(json, `${JSON.stringify(run, null, 2)}\n`);
if (markdown !== undefined) writeFileSync(markdown, markdownReport(run, earlier));
// The native backend keeps threads that would hold the process.
process.exit(0);

async function measure(): Promise<Run> {
  const conditions = describeConditions();
  const measured = new Date().toISOString();
  const repetitions: Row[][] = [];
  for (let i = 1; i <= repeats; i++) {
    const rows: Row[] = [];
    for (const group of chosen) {
      process.stderr.write(`measuring ${group}${repeats > 1 ? ` (${i} of ${repeats})` : ''} …\n`);
      rows.push(...((await GROUPS[group]?.()) ?? []));
    }
    repetitions.push(rows);
  }
  return { conditions, measured, rows: mergeRepeats(repetitions) };
}

function readEarlier(file: string): Run {
  try {
    return readRun(file);
  } catch (error) {
    if (!(error instanceof RunFileError)) throw error;
    console.error(error.message);
    process.exit(66);
  }
}

function groupsOf(text: string): readonly string[] {
  if (text === 'all') return Object.keys(GROUPS).filter((group) => !['fixtures', 'quick'].includes(group));
  const groups = text.split(',');
  const unknown = groups.find((group) => !Object.hasOwn(GROUPS, group));
  if (unknown === undefined) return groups;
  throw new InvalidArgumentError(
    `There is no group "${unknown}"; there are ${Object.keys(GROUPS).join(', ')}.`,
  );
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError('It must be a whole number from 1.');
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
