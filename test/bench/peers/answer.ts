/** What each program of the comparison prints as JSON. */

import type { Took } from '../timing.ts';

/** Numbers that must be the same for all, from the given weights and a momentum of zero. */
export interface Check {
  /** Mean loss of the batch at the given weights. */
  readonly loss: number;
  /** Mean loss of the validation examples after `checkSteps` steps on the batch without derivatives. */
  readonly plainLoss: number;
  /** After as many with derivatives. */
  readonly learningLoss: number;
  /** The hypergradient there, `[q]`. */
  readonly hypergradient: readonly number[];
}

/** What is timed: a step that learns nothing, one that learns q values, the validation gradient with q dot products. */
export type Task = 'plain' | 'learning' | 'validation';

export interface Answer {
  /** Of the program compared, with its version. */
  readonly name: string;
  readonly check: Check;
  readonly times: Readonly<Record<Task, readonly Took[]>>;
}

/** Relative difference up to which two numbers are the same. Sums of binary32 in another order differ by less. */
const SAME = 1e-4;

/** @throws Error naming the first number of the check that differs, or is not a number. */
export function requireSame(found: Answer, expected: Answer): void {
  const numbers = ({ check: { hypergradient, ...losses } }: Answer): [string, number][] => [
    ...Object.entries(losses),
    ...hypergradient.map((h, i): [string, number] => [`hypergradient[${i}]`, h]),
  ];
  const others = Object.fromEntries(numbers(found));
  for (const [name, value] of numbers(expected)) {
    const other = others[name] ?? Number.NaN;
    if (Math.abs(other - value) <= SAME * Math.abs(value)) continue;
    throw new Error(`${found.name} has ${name} ${other}, ${expected.name} ${value}: nothing to compare`);
  }
}
