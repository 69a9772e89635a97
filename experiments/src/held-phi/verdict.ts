/** What the verdict of a component is worth: whether those that are trusted are right more often than the others. */

import type { WindowReport } from '@glocal/sdk';
import { bootstrap, type Interval } from './score.ts';
import type { HeldWindow } from './windows.ts';

/** A clear component of one window. */
export interface Judged {
  readonly run: string;
  readonly trusted: boolean;
  /** Whether the estimate has the sign of what came. */
  readonly right: boolean;
}

/** None where the window has no estimate. */
export function judged(window: HeldWindow, report: WindowReport, trust: Trust): Judged[] {
  const { run, truth, clear } = window;
  const { glocal } = report;
  if (glocal === undefined) return [];
  return truth.flatMap((value, k) =>
    clear[k]
      ? [
          {
            run,
            trusted: trust(report, window, k),
            right: Math.sign(glocal[k] ?? Number.NaN) === Math.sign(value),
          },
        ]
      : [],
  );
}

/** A rule that says of a component whether its estimate is to be trusted. */
export type Trust = (report: WindowReport, window: HeldWindow, component: number) => boolean;

/** The product's. */
export const verdict: Trust = ({ componentTrusted }, _window, k) => componentTrusted[k] ?? false;

/** Share of the largest row that the last one has to have. */
const STILL_LARGE = 0.8;

/** Besides, the last row is nearly the largest, and points where the estimate does. */
export const stillLarge: Trust = (report, window, k) => {
  const values = window.rows.map((row) => row[k] ?? Number.NaN);
  const last = values.at(-1) ?? Number.NaN;
  const largest = Math.max(...values.map(Math.abs));
  const sameSign = Math.sign(last) === Math.sign(report.glocal?.[k] ?? Number.NaN);
  return verdict(report, window, k) && sameSign && Math.abs(last) >= STILL_LARGE * largest;
};

export interface VerdictFigures {
  /** Share of all clear components whose sign is right. */
  readonly base: Interval | undefined;
  /** The same of the trusted ones. */
  readonly precision: Interval | undefined;
  /** Of those that are right, the share that is trusted. */
  readonly recall: Interval | undefined;
  readonly gain: Interval | undefined;
  readonly components: number;
}

const share = (part = 0, of = 0): number | undefined => (of === 0 ? undefined : part / of);

export function verdictFigures(items: readonly Judged[]): VerdictFigures {
  /** All, those that are right, those that are trusted, and those that are both. */
  const counts = ({ right, trusted }: Judged) => [
    1,
    Number(right),
    Number(trusted),
    Number(right && trusted),
  ];
  return {
    base: bootstrap(items, counts, ([all, right]) => share(right, all)),
    precision: bootstrap(items, counts, ([, , trusted, both]) => share(both, trusted)),
    recall: bootstrap(items, counts, ([, right, , both]) => share(both, right)),
    gain: bootstrap(items, counts, ([all, right, trusted, both]) => {
      const [precision, base] = [share(both, trusted), share(right, all)];
      return precision === undefined || base === undefined ? undefined : precision - base;
    }),
    components: items.length,
  };
}
