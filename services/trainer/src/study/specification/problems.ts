/** The problem of a study whose trials may differ in it: each of them must be one that can be trained. */

import { type Choice, Problem } from '@glocal/proto/glocal/v1/study';
import type { FieldViolation } from '../../resource/errors.ts';
import type { Catalogue } from '../catalogue.ts';
import { problemField, withChoices } from '../problem-fields.ts';
import { type Point, textOf } from '../sampling/axes.ts';
import { Checker } from './checker.ts';
import { completeProblem, type ResolvedProblem } from './problem.ts';

/** The problem of some trials. */
export interface ProblemVariant extends ResolvedProblem {
  readonly problem: Problem;
  /** What these trials have chosen of it, and so whatever other parameters depend on. */
  readonly choices: readonly Choice[];
}

/** A further check of a variant; what it records is reported as the problem's own faults are. */
export type Inspect = (variant: ProblemVariant, check: Checker) => void;

/**
 * Completes and inspects the problem of every point, and records the first fault of each field; of a field that trials differ in,
 * as one of the space.
 * @returns the problem of the study, without what trials differ in.
 */
export function completeProblems(
  requested: Problem | undefined,
  points: readonly Point[],
  catalogue: Catalogue,
  inspect: Inspect,
  check: Checker,
): Problem {
  const asked = requested ?? Problem.create();
  const faults = new Checker();
  const chosen = (points[0] ?? []).map(({ name }) => name).filter((name) => problemField(name) !== undefined);
  for (const name of chosen) {
    faults.require(
      problemField(name)?.get(asked) === undefined,
      `problem.${name}`,
      'is a parameter of the space, too; leave it out here',
    );
  }
  const variants = distinct(points.map((point) => point.filter(({ name }) => chosen.includes(name))));
  const [first = asked] = variants.map((choices) => {
    const own = new Checker();
    const { problem, resolved } = completeProblem(withChoices(asked, choices), catalogue, own);
    inspect({ problem, choices, ...resolved }, own);
    report(own, choices, faults, check.violations);
    return problem;
  });
  // What is trained comes first in every list of faults.
  check.violations.unshift(...faults.violations);
  const common = chosen.reduce(
    (problem, name) => problemField(name)?.set(problem, undefined) ?? problem,
    first,
  );
  // What follows from the data set is as different as the data sets.
  const { validationExamples } = chosen.includes('dataset') ? asked : common;
  return { ...common, validationExamples };
}

const distinct = (choices: readonly Choice[][]): Choice[][] => [
  ...new Map(choices.map((choice) => [JSON.stringify(choice), choice])).values(),
];

function report(
  { violations }: Checker,
  choices: readonly Choice[],
  faults: Checker,
  known: readonly FieldViolation[],
): void {
  for (const { field, description } of violations) {
    const name = field.replace(/^problem\./, '');
    const isChosen = name !== field && choices.some((choice) => choice.name === name);
    const where = isChosen ? `space.${name}` : field;
    const isKnown = (other: FieldViolation) => other.field === where || other.field.startsWith(`${where}.`);
    if (faults.violations.some(isKnown) || known.some(isKnown)) continue;
    const others = choices.filter((choice) => choice.name !== name).map(textOf);
    const trials = others.length === 0 ? '' : `; in trials with ${others.join(', ')}`;
    faults.require(false, where, `${description}${trials}`);
  }
}
