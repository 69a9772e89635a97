/** `glocal window`: what led to an update, and what other options would have made of it. */

import type { DmdOptions, OuterStep, WindowReport } from '@glocal/sdk';
import { Command } from 'commander';
import { toOuterStep, toTrial } from '../names.ts';
import { print } from '../output.ts';
import { figure, listing, short, table } from '../terminal.ts';
import { type OnlineFlags, online, withStudy } from './online.ts';

/** Components and modes that fit on a screen. */
const SHOWN = 20;

interface WindowFlags extends OnlineFlags {
  readonly trial: number | string;
}

/** @param flags of the example, after study and outer step. */
const of = (name: string, description: string, flags = ''): Command =>
  online(name, description, `glocal window ${name} STUDY 3${flags}`)
    .argument('<study>', 'its name, with or without studies/')
    .argument('<outer-step>', 'its number, 1 for the first', toOuterStep)
    .option('--trial <n>', 'position of the trial, or its name', toTrial, 0);

const show = (): Command =>
  of('show', 'an outer step: its window, what the decomposition found, and what was done').action(
    (name: string, index: number, flags: WindowFlags) =>
      withStudy(name, flags, async (study) => {
        const step = await study.outerStep(index, { trial: flags.trial });
        print(flags.json, step, () => outerStepWords(step));
      }),
  );

interface ReanalyzeFlags extends WindowFlags {
  readonly sigma?: number;
  readonly variant?: NonNullable<DmdOptions['variant']>;
  readonly delays?: number;
  readonly svdRank?: number;
  readonly tolerance?: number;
  readonly clip?: number;
  readonly ridge?: number;
  readonly scaling?: NonNullable<DmdOptions['scaling']>;
  readonly selection?: NonNullable<DmdOptions['selection']>;
  readonly anchor?: NonNullable<DmdOptions['anchor']>;
}

// Which values are good is the client's to say; docs/dmd.md explains them.
const reanalyze = (): Command =>
  of(
    'reanalyze',
    'what other options would have made of a window; nothing is trained and nothing stored',
    ' --variant hankel --delays 3',
  )
    .option('--sigma <n>', 'how many of the last rows to take', Number)
    .option('--variant <name>', 'hankel, affine, forward_backward, optimized, mean, median or last')
    .option('--delays <n>', 'hypergradients stacked in one observable', Number)
    .option('--svd-rank <n>', 'a rank; below 1 a share of energy, 0 the optimal threshold, -1 all', Number)
    .option('--tolerance <distance>', 'how near to 1 the eigenvalue of a steady mode lies', Number)
    .option('--clip <size>', 'affine: largest eigenvalue of what decays', Number)
    .option('--ridge <share>', 'affine: added to the squared singular values', Number)
    .option('--scaling <name>', 'component, global or none')
    .option('--selection <name>', 'steady or nearest')
    .option('--anchor <name>', 'first or last')
    .action((name: string, index: number, flags: ReanalyzeFlags) =>
      withStudy(name, flags, async (study) => {
        const { trial, sigma } = flags;
        const { variant, delays, svdRank, tolerance, clip, ridge, scaling, selection, anchor } = flags;
        const given = { variant, delays, svdRank, tolerance, clip, ridge, scaling, selection, anchor };
        const dmd = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
        const [step, again] = await Promise.all([
          study.outerStep(index, { trial }),
          study.reanalyze(index, { trial, sigma, dmd }),
        ]);
        print(flags.json, again, () => reanalysisWords(step, again));
      }),
    );

export const window = (): Command =>
  new Command('window')
    .description('windows of hypergradients, and what became of them')
    .addCommand(show())
    .addCommand(reanalyze());

type Reanalyzed = Pick<NonNullable<OuterStep['update']>, 'hypergradient' | 'sources' | 'reason'> & {
  readonly report: WindowReport;
};

/** An outer step: values, verdict, components, modes. */
function outerStepWords(step: OuterStep): string {
  const { name, window: rows, report, update, validation, trainLoss } = step;
  const head: [string, string][] = [
    ['outer step', `${name}, ${step.step} inner steps done`],
    ['losses', `training ${figure(trainLoss)}, validation ${figure(validation.loss)}`],
    ...valueLines(step),
  ];
  if (rows !== undefined) {
    head.push([
      'window',
      `${rows.rows} rows of ${rows.components.length} components, from step ${rows.firstStep} on`,
    ]);
  }
  if (report !== undefined) head.push(...reportLines(report));
  if (update !== undefined) {
    head.push(['update', `${update.reason} (rate ${short(update.rate)})`]);
    if (update.rolledBack) head.push(['', 'rolled back']);
    if (update.fellBack) head.push(['', 'without a report of the DMD service']);
  }
  const parts = [listing(head)];
  if (rows !== undefined && report !== undefined) parts.push(componentTable(rows.components, report, update));
  if (report !== undefined && report.spectrum.modes.length > 0) parts.push(modeTable(report));
  return parts.join('\n\n');
}

/** The verdict and the estimate as they were, beside those of other options. */
function reanalysisWords({ report, window: rows, update }: OuterStep, again: Reanalyzed): string {
  const head: [string, string][] = [
    ...(report === undefined
      ? []
      : reportLines(report).map(([key, value]): [string, string] => [`${key} then`, value])),
    ...reportLines(again.report).map(([key, value]): [string, string] => [`${key} now`, value]),
    ['would be used', again.reason],
  ];
  const components = rows?.components.slice(0, SHOWN) ?? [];
  const compared = table(
    ['component', 'used then', 'from', 'would be used', 'from', 'trusted'],
    components.map((component, i) => [
      component,
      short(update?.hypergradient[i]),
      update?.sources[i] ?? '–',
      short(again.hypergradient[i]),
      again.sources[i] ?? '–',
      again.report.componentTrusted[i] ? 'yes' : 'no',
    ]),
  );
  return [listing(head), compared, modeTable(again.report)].join('\n\n');
}

function valueLines({ values, nextValues }: OuterStep): [string, string][] {
  const after = nextValues as Readonly<Record<string, unknown>>;
  return Object.entries(values as Readonly<Record<string, unknown>>).flatMap(([name, value]) => {
    const next = after[name];
    if (typeof value !== 'number' || typeof next !== 'number') return [];
    return [[name, value === next ? short(value) : `${short(value)} → ${short(next)}`]];
  });
}

const reportLines = ({ verdict, verdictReason, spectrum }: WindowReport): [string, string][] => [
  ['verdict', `${verdict}: ${verdictReason}`],
  [
    'spectrum',
    `rank ${spectrum.rank}, ρ ${spectrum.spectralRadius.toFixed(3)}, reconstruction error ${short(spectrum.reconstructionError)}`,
  ],
];

function componentTable(
  components: readonly string[],
  report: WindowReport,
  update: OuterStep['update'],
): string {
  const rows = components
    .slice(0, SHOWN)
    .map((component, i) => [
      component,
      short(report.last[i]),
      short(report.mean[i]),
      short(report.glocal?.[i]),
      report.componentTrusted[i] ? 'yes' : 'no',
      short(report.tScores[i]),
      short(update?.hypergradient[i]),
      update?.sources[i] ?? '–',
    ]);
  const head = ['component', 'local', 'mean', 'glocal', 'trusted', 't-score', 'used', 'from'];
  return table(head, rows) + andMore(components.length, 'components');
}

function modeTable({ spectrum: { modes } }: WindowReport): string {
  const rows = modes
    .slice(0, SHOWN)
    .map(({ eigenvalue: { re, im }, contributionNorm, energyShare, steady }) => [
      im === 0 ? re.toFixed(3) : `${re.toFixed(3)} ± ${Math.abs(im).toFixed(3)}i`,
      short(contributionNorm),
      `${(100 * energyShare).toFixed(1)} %`,
      steady ? 'yes' : 'no',
    ]);
  return table(['eigenvalue', 'contribution', 'energy', 'steady'], rows) + andMore(modes.length, 'modes');
}

const andMore = (count: number, what: string): string =>
  count > SHOWN ? `\n… and ${count - SHOWN} more ${what}; --json has all` : '';
