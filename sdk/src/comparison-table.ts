/** A comparison of studies as text. */

import type { ComparedStudy, Comparison, Figure, FigureName } from './comparison.ts';
import type { Verdict } from './enums.ts';
import { lowestTwo } from './lead.ts';

/** What there is to print. */
export type ComparisonTable = Pick<Comparison, 'studies' | 'obstacles' | 'lead'>;

const NOTHING = '–';
/** Figures by their names, and how many digits they have after the point. */
const FIGURES: readonly (readonly [FigureName, label: string, digits: number])[] = [
  ['validationLoss', 'validation loss', 4],
  ['validationAccuracy', 'validation accuracy', 4],
  ['testLoss', 'test loss', 4],
  ['testAccuracy', 'test accuracy', 4],
  ['cost', 'cost in plain runs', 2],
];
/** A difference below so many standard errors may be one of seeds. */
const CLEAR = 2;

/** A line for each row, the columns of equal width; below them what follows from it. */
export function tableOf(comparison: ComparisonTable): string {
  const { studies } = comparison;
  const row = (label: string, cell: (study: ComparedStudy) => string): string[] => [
    label,
    ...studies.map(cell),
  ];
  const rows = [
    row('', titleOf),
    row('state', ({ state }) => state),
    row('estimator', ({ estimator }) => estimator),
    row('weights', ({ evaluation }) => evaluation),
    row('trials', ({ succeeded, trials }) => `${succeeded} of ${trials}`),
    ...FIGURES.map(([name, label, digits]) => row(label, ({ figures }) => figureCell(figures[name], digits))),
    ...namesIn(studies).map((name) => row(name, ({ best }) => valueCell(best, name))),
    row('verdicts', ({ verdicts }) => verdictCell(verdicts)),
  ].filter(([, ...cells]) => cells.some((cell) => cell !== NOTHING));
  const widths = ['', ...studies].map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, '', conclusion(comparison)].join('\n');
}

const titleOf = ({ displayName, name }: ComparedStudy): string => displayName || name;

function figureCell(figure: Figure | undefined, digits: number): string {
  if (figure === undefined) return NOTHING;
  const { mean, deviation, difference } = figure;
  const spread = deviation === undefined ? '' : ` ± ${deviation.toFixed(digits)}`;
  const apart = difference === undefined ? '' : ` (${signed(difference, digits)})`;
  return `${mean.toFixed(digits)}${spread}${apart}`;
}

const signed = (value: number, digits: number): string =>
  `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;

/** Choices and hyperparameters of the best trials. */
const namesIn = (studies: readonly ComparedStudy[]): string[] => [
  ...new Set(studies.flatMap(({ best }) => Object.keys({ ...best?.choices, ...best?.values }))),
];

function valueCell(best: ComparedStudy['best'], name: string): string {
  const values: Readonly<Record<string, unknown>> = { ...best?.choices, ...best?.values };
  const value = values[name];
  if (typeof value === 'number') return short(value);
  if (Array.isArray(value))
    return `${value.map(short).slice(0, 3).join(', ')}${value.length > 3 ? ', …' : ''}`;
  return value === undefined ? NOTHING : String(value);
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

function verdictCell(verdicts: ComparedStudy['verdicts']): string {
  const seen = (Object.entries(verdicts) as [Verdict, number][]).filter(([, count]) => count > 0);
  return seen.length === 0 ? NOTHING : seen.map(([verdict, count]) => `${count} ${verdict}`).join(', ');
}

function conclusion({ studies, obstacles, lead }: ComparisonTable): string {
  if (obstacles.length > 0) {
    const why = obstacles.map(({ field, values }) => {
      const shown = values.map(
        (value) => (typeof value === 'string' ? value : JSON.stringify(value)) || 'none',
      );
      return `${field} is ${shown.join(' and ')}`;
    });
    return `These figures cannot be compared: ${why.join('; ')}.`;
  }
  const gap = lead ?? lowestTwo(studies);
  if (gap === undefined) return 'There are no two validation losses to compare.';
  const titled = (name: string) => {
    const study = studies.find((compared) => compared.name === name);
    return study === undefined ? name : titleOf(study);
  };
  const [best, next] = [titled(gap.study), titled(gap.over)];
  const { by, error } = gap;
  const amount = `${short4(by)}${error === undefined ? '' : ` ± ${short4(error)}`}`;
  if (lead === undefined) {
    const why = by === 0 ? 'are the same' : `are ${amount} apart, which is not more than the standard error`;
    return `There is no difference between ${best} and ${next}: their validation losses ${why}.`;
  }
  const doubt = error !== undefined && by < CLEAR * error ? ', which is less than two standard errors' : '';
  return `${best} is better: its validation loss is ${amount} below that of ${next}${doubt}.`;
}

/** Four digits after the point, or what there is of less than that. */
const short4 = (value: number): string =>
  value > 0 && value < 0.00005 ? value.toExponential(1) : value.toFixed(4);
