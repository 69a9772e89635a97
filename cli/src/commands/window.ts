/** `glocal window`: what led to an update, and what other options would have made of it. */

import type { DmdOptions, OuterStep, WindowReport } from '@glocal/sdk';
import { Command, Option } from 'commander';
import { toNumber, toOuterStep, toTrial } from '../names.ts';
import { print } from '../output.ts';
import { figure, listing, short, table } from '../terminal.ts';
import { counted, isVector, valueWords } from '../words.ts';
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

/** Options of the decomposition that have a flag. */
const DMD_FLAGS = [
  'variant',
  'delays',
  'svdRank',
  'tolerance',
  'clip',
  'ridge',
  'lastShare',
  'scaling',
  'selection',
  'anchor',
] as const;

interface ReanalyzeFlags extends WindowFlags, Pick<DmdOptions, (typeof DMD_FLAGS)[number]> {
  readonly sigma?: number;
}

const VARIANTS = [
  'hankel',
  'affine',
  'forward_backward',
  'optimized',
  'mean',
  'median',
  'last',
] satisfies NonNullable<DmdOptions['variant']>[];

/** A value of an enum, or a number, as the command line has it; docs/dmd.md explains them. */
const choice = (flags: string, description: string, choices: readonly string[]): Option =>
  new Option(flags, description).choices(choices);

const reanalyze = (): Command =>
  of(
    'reanalyze',
    'what other options would have made of a window; nothing is trained and nothing stored',
    ' --variant hankel --delays 3',
  )
    .option('--sigma <n>', 'how many of the last rows to take', toNumber)
    .addOption(choice('--variant <name>', 'how the heading is estimated', VARIANTS))
    .option('--delays <n>', 'hypergradients stacked in one observable', toNumber)
    .option('--svd-rank <n>', 'a rank; below 1 a share of energy, 0 the optimal threshold, -1 all', toNumber)
    .option('--tolerance <distance>', 'how near to 1 the eigenvalue of a steady mode lies', toNumber)
    .option('--clip <size>', 'affine: largest eigenvalue of what decays', toNumber)
    .option('--ridge <share>', 'affine: added to the squared singular values', toNumber)
    .option('--last-share <share>', 'of its largest that the last row of a trusted component has', toNumber)
    .addOption(choice('--scaling <name>', 'how components are scaled', ['component', 'global', 'none']))
    .addOption(choice('--selection <name>', 'which modes are added up', ['steady', 'nearest']))
    .addOption(choice('--anchor <name>', 'the snapshot that amplitudes are fitted to', ['first', 'last']))
    .action((name: string, index: number, flags: ReanalyzeFlags) =>
      withStudy(name, flags, async (study) => {
        const { trial, sigma } = flags;
        const given = DMD_FLAGS.map((flag) => [flag, flags[flag]] as const);
        const dmd = Object.fromEntries(given.filter(([, value]) => value !== undefined));
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
  const { name, window: rows, report, update, validation, averagedValidation, trainLoss } = step;
  const averaged = Number.isFinite(averagedValidation.loss)
    ? `, at the averaged weights ${figure(averagedValidation.loss)}`
    : '';
  const head: [string, string][] = [
    ['outer step', `${name}, ${step.step} inner steps done`],
    ['losses', `training ${figure(trainLoss)}, validation ${figure(validation.loss)}${averaged}`],
    ...valueLines(step),
  ];
  if (rows !== undefined) {
    head.push([
      'window',
      `${counted(rows.rows, 'row')} of ${counted(rows.components.length, 'component')}, from step ${rows.firstStep} on`,
    ]);
  }
  if (report !== undefined) head.push(...reportLines(report));
  if (update !== undefined) {
    // What the verdict has said already.
    const why = update.reason === report?.verdictReason ? '' : `${update.reason}, `;
    head.push(['update', `${why}rate ${short(update.rate)}`]);
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
    ...(again.reason === again.report.verdictReason
      ? []
      : [['would be used', again.reason] as [string, string]]),
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
      trustWords(again.report, i),
    ]),
  );
  return [listing(head), compared, modeTable(again.report)].join('\n\n');
}

/** What each hyperparameter was, and was moved to; of a vector every value, where a screen has room for them. */
export function valueLines({
  values,
  nextValues,
  window: rows,
}: Pick<OuterStep, 'values' | 'nextValues' | 'window'>): [string, string][] {
  const after = nextValues as Readonly<Record<string, unknown>>;
  return Object.entries(values as Readonly<Record<string, unknown>>).flatMap(([name, value]) => {
    const next = after[name];
    if (!isVector(value) || value.length > SHOWN || !isVector(next)) return [[name, moved(value, next)]];
    const named = rows?.components.filter((component) => component.startsWith(`${name}/`)) ?? [];
    return value.map((entry, i): [string, string] => [named[i] ?? `${name}/${i}`, moved(entry, next[i])]);
  });
}

function moved(value: unknown, next: unknown): string {
  const [before, after] = [valueWords(value), valueWords(next)];
  return before === after ? before : `${before} → ${after}`;
}

/** Whether an estimate of each component is trusted; with other verdicts there is none that it would be asked of. */
function trustWords({ verdict, componentTrusted }: WindowReport, i: number): string {
  if (verdict !== 'TRUSTED' && verdict !== 'UNCERTAIN') return '–';
  return componentTrusted[i] ? 'yes' : 'no';
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
      trustWords(report, i),
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
