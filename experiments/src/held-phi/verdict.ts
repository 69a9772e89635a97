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
export function judged({ run, truth, clear }: HeldWindow, report: WindowReport): Judged[] {
  const { glocal, componentTrusted } = report;
  if (glocal === undefined) return [];
  return truth.flatMap((value, k) =>
    clear[k]
      ? [
          {
            run,
            trusted: componentTrusted[k] ?? false,
            right: Math.sign(glocal[k] ?? Number.NaN) === Math.sign(value),
          },
        ]
      : [],
  );
}

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
