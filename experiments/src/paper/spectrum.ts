/** Section 4.3 of the paper, Fig. 4: eigenvalues of the windows, and how fast the modes that are not steady decay. */

import { spectrumChart } from '@glocal/cli/charts';
import { eigenvaluesOf } from '@glocal/cli/files';
import { float, type Mode, type OuterStep, type Study } from '@glocal/sdk';
import { armOf, spaceOf, type Task } from '../arms.ts';
import { hankel, PAPER, type PaperLoop, paperMethod } from '../estimators.ts';
import type { Experiment, Findings, Lab, Size } from '../experiment.ts';
import { decayChart } from '../figures/decay.ts';
import type { Finished } from '../outcome.ts';
import type { Table } from '../report/table.ts';

const TOLERANCE = 0.1;
/** The rate, whose modes the paper's right panel shows. */
const COMPONENT = 'lr';
/** After how many steps what is left of a mode is told: those of the paper's right panel are 100. */
const AFTER = [20, 100];

const STEPS: Readonly<Record<Size, number>> = { full: 2_000, quick: 200 };
const LOOPS: Readonly<Record<Size, PaperLoop>> = {
  full: PAPER,
  quick: { window: 50, sigma: 20, delays: 10, validationSample: 1_000 },
};

const DATASET: Readonly<Record<Size, string>> = { full: 'fashion-mnist', quick: 'fashion-mnist-10k' };

function task(size: Size): Task {
  const [dataset, steps] = [DATASET[size], STEPS[size]];
  return { table: `${dataset}, lenet, ${steps} steps`, problem: { dataset, model: 'lenet' }, steps };
}

const unit = (init: number | readonly number[]) => float({ min: 0, max: 1, init });

/** An outer step that has a report, and of which training. */
interface Analyzed {
  readonly trial: string;
  readonly seed: number;
  readonly step: OuterStep;
}

export const spectrum: Experiment = {
  description: "the paper's Fig. 4: eigenvalues of the windows, and the decay of their modes",
  seeds: { full: 3, quick: 1 },
  datasets: { full: [DATASET.full], quick: [] },
  shortened: [
    '200 inner steps in place of 2,000, the 10,000 examples that come with Glocal in place of 60,000, hypergradients on 1,000 validation ' +
      'examples in place of 6,000, one seed in place of three.',
  ],
  arms: ({ size }) => [
    armOf(task(size), {
      ...{ title: "GLOCAL, the paper's HANKEL", readout: 'last', optimizer: 'sgd' },
      space: spaceOf({ lr: unit([0.01]), momentum: unit(0.1), weightDecay: unit(1e-3) }),
      method: paperMethod(LOOPS[size], 'glocal', 'last_iterate', {
        ...{ ...hankel(LOOPS[size]), includeContributions: true },
      }),
    }),
  ],
  analyse,
};

async function analyse({ client, signal }: Lab, [finished]: readonly Finished[]): Promise<Findings> {
  if (finished === undefined) return { tables: [], figures: [] };
  const study = await client.studies.get(finished.study, { signal });
  const windows: Analyzed[] = [];
  for (const { trial, seed } of finished.trials) {
    for await (const step of study.outerSteps({ trial, signal })) {
      if (step.report !== undefined) windows.push({ trial, seed, step });
    }
  }
  const [listed] = windows;
  if (listed === undefined) return { tables: [], figures: [] };
  const { trial } = listed;
  // A list leaves the contributions of modes out.
  const first = await study.outerStep(listed.step.index, { trial, signal });
  const start = `${finished.arm.table}, from a rate of .01`;
  const about = `${start}, seed ${listed.seed}`;
  return {
    tables: [windowTable(windows), decayTable(first), await variantTable(study, trial, first)],
    figures: [
      {
        id: 'eigenvalues-first-window',
        svg: await spectrumChart(
          'Eigenvalues of the first window',
          `${about} · HANKEL, m 10`,
          TOLERANCE,
          eigenvaluesOf([first]),
        ),
      },
      {
        id: 'eigenvalues',
        svg: await spectrumChart(
          'Eigenvalues of all windows',
          `${start} · ${windows.length} windows, seeds ${[...new Set(windows.map(({ seed }) => seed))].join(', ')}`,
          TOLERANCE,
          eigenvaluesOf(windows.map(({ step }) => step)),
        ),
      },
      {
        id: 'decay',
        svg: await decayChart('Modes of the hypergradient of the rate, first window', about, decay(first)),
      },
    ],
  };
}

/** Size of the part of a mode that counts for one component, at t = 0. */
function sizeAt({ contribution }: Mode, component: number): number {
  return Math.hypot(contribution?.re[component] ?? 0, contribution?.im[component] ?? 0);
}

const componentOf = ({ window }: OuterStep): number => window?.components.indexOf(COMPONENT) ?? 0;
const modesOf = ({ report }: OuterStep): readonly Mode[] => report?.spectrum.modes ?? [];
const radius = ({ eigenvalue: { re, im } }: Mode): number => Math.hypot(re, im);

/** |b λᵗ u| of each mode at t = 0 … 100; of a conjugate pair once. */
function decay(step: OuterStep) {
  const component = componentOf(step);
  return modesOf(step)
    .filter(({ eigenvalue }) => eigenvalue.im >= 0)
    .flatMap((mode) => {
      const { re, im } = mode.eigenvalue;
      const name = im === 0 ? `λ = ${re.toFixed(3)}` : `λ = ${re.toFixed(3)} ± ${im.toFixed(3)}i`;
      return Array.from({ length: 101 }, (_, t) => ({
        ...{ mode: name, steady: mode.steady, t },
        size: sizeAt(mode, component) * radius(mode) ** t,
      }));
    });
}

function windowTable(windows: readonly Analyzed[]): Table {
  return {
    id: 'windows',
    title: `Eigenvalues within ${TOLERANCE} of 1, window by window (the paper shows two, in the first)`,
    columns: ['seed', 'window', 'near 1', 'rank', 'largest |λ|', 'energy near 1', 'verdict'],
    rows: windows.map(({ seed, step }) => {
      const steady = modesOf(step).filter((mode) => mode.steady);
      const energy = steady.reduce((sum, { energyShare }) => sum + energyShare, 0);
      const { spectrum: found, verdict } = step.report ?? {};
      return [
        ...[String(seed), String(step.index), String(steady.length), String(found?.rank ?? 0)],
        ...[found?.spectralRadius.toFixed(3) ?? '–', energy.toFixed(3), verdict ?? '–'],
      ];
    }),
  };
}

function decayTable(step: OuterStep): Table {
  const component = componentOf(step);
  const size = (modes: readonly Mode[], t: number): string =>
    modes.length === 0
      ? '–'
      : Math.max(...modes.map((mode) => sizeAt(mode, component) * radius(mode) ** t)).toExponential(1);
  const [steady, others] = [true, false].map((which) =>
    modesOf(step).filter((mode) => mode.steady === which),
  );
  return {
    id: 'decay',
    title: `Largest mode of the hypergradient of the rate in the first window, after so many steps`,
    columns: ['', ...[0, ...AFTER].map((t) => `t = ${t}`)],
    rows: [
      ['near 1', ...[0, ...AFTER].map((t) => size(steady ?? [], t))],
      ['others', ...[0, ...AFTER].map((t) => size(others ?? [], t))],
    ],
  };
}

/** The same window with other options, without training again. */
async function variantTable(study: Study, trial: string, { index }: OuterStep): Promise<Table> {
  const variants = [
    ['HANKEL, unscaled (paper)', { variant: 'hankel', scaling: 'none' }],
    ['HANKEL, by component', { variant: 'hankel', scaling: 'component' }],
    ['HANKEL m 1, by component', { variant: 'hankel', scaling: 'component', delays: 1 }],
    ['AFFINE', { variant: 'affine', scaling: 'component', delays: 3, svdRank: 3 }],
  ] as const;
  const rows: string[][] = [];
  for (const [name, dmd] of variants) {
    const { report } = await study.reanalyze(index, { trial, dmd });
    const steady = report.spectrum.modes.filter((mode) => mode.steady).length;
    const values = report.glocal === undefined ? ['–'] : Array.from(report.glocal, (x) => x.toExponential(2));
    rows.push([name, String(steady), report.verdict, values.join(', ')]);
  }
  return {
    id: 'variants',
    title: 'The first window, analysed again with other options',
    columns: ['', 'near 1', 'verdict', 'estimate: rate, momentum, decay'],
    rows,
  };
}
