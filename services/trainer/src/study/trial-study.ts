/** A study as one of its trials sees it. */

import type { Choice, Parameter, Study, Trial } from '@glocal/proto/glocal/v1/study';
import { getOptimizer } from '../inner/registry.ts';
import { exists } from './conditions.ts';
import { problemField, withChoices } from './problem-fields.ts';
import { fixedAt, unlisted } from './unlisted.ts';

/**
 * The study with the trial's point in it, and only the parameters that exist there: fields of the problem are set, numbers fixed, vectors and values that move start
 * where the trial starts. Whatever trains a trial, or tells of its hyperparameters, takes the study from here.
 *
 * What the data set decides is left open where trials differ in it: `problem.validation_examples` is 0 then.
 */
export function studyOfTrial<T extends Study>(study: T, { choices }: Pick<Trial, 'choices'>): T {
  if (choices.length === 0) return study;
  const chosen = new Map(choices.map((choice) => [choice.name, choice]));
  // A client that trains has no problem: it sees the choices.
  const problem = study.problem && withChoices(study.problem, choices);
  const listed = study.space?.parameters ?? [];
  const parameters = listed.flatMap((parameter) => {
    if (!exists(parameter, choices)) return [];
    const { name, kind } = parameter;
    const choice = chosen.get(name);
    if (choice === undefined) return [{ name, kind }];
    return problem !== undefined && problemField(name) !== undefined ? [] : at(parameter, choice);
  });
  const mayLack = chosen.has('optimizer') || listed.some(({ condition }) => condition !== undefined);
  if (problem !== undefined && mayLack) {
    parameters.push(...unlisted(getOptimizer(problem.optimizer).hyperparameters, parameters));
  }
  return { ...study, problem, space: { parameters } };
}

/** A parameter at its choice. What is not a number has no place among the hyperparameters. */
function at({ name, kind }: Parameter, { value }: Choice): Parameter[] {
  if (value?.$case !== 'number') return [];
  return kind?.$case === 'float'
    ? [{ name, kind: { $case: 'float', value: { ...kind.value, initial: value.value, initials: [] } } }]
    : [{ name, kind: fixedAt(value.value) }];
}
