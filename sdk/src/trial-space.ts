/** The space as one trial has it: children of a categorical exist with one of its names only. */

import type { ChoiceParameter, Parameter, ParameterMap, Space } from './space.ts';
import type { Choices } from './space-values.ts';

/** The parameters that there are with these choices, in the order of the space: children after their parent. */
export function parametersAt({ parameters }: Space, choices: Choices): ReadonlyMap<string, Parameter> {
  return new Map(existing(parameters, choices));
}

function* existing(
  parameters: ParameterMap,
  choices: Choices,
): Generator<[name: string, parameter: Parameter]> {
  for (const [name, parameter] of Object.entries(parameters)) {
    yield [name, parameter];
    const branch = branchesOf(parameter).find(([value]) => value === choices[name]);
    if (branch !== undefined) yield* existing(branch[1], choices);
  }
}

/** Children of a parameter, by the name with which they exist. */
export const branchesOf = (parameter: Parameter): [value: string, children: ParameterMap][] =>
  parameter.kind === 'categorical' ? Object.entries(parameter.children ?? {}) : [];

const MAKES_TRIALS: ReadonlySet<Parameter['kind']> = new Set(['int', 'bool', 'categorical', 'discrete']);

/** Whether a parameter has one value for the whole of a trial, and makes trials. */
export const isChoice = (parameter: Parameter | undefined): parameter is ChoiceParameter =>
  parameter !== undefined && MAKES_TRIALS.has(parameter.kind);

/** Whether trials differ in more than where they start. */
export const hasChoices = ({ parameters }: Space): boolean => Object.values(parameters).some(isChoice);

/** The kind of each parameter, in all branches: `optimizer.sgd.momentum` is one that exists with a value of another. */
export const kindsOf = (parameters: ParameterMap): [name: string, kind: Parameter['kind']][] =>
  Object.entries(parameters).flatMap(([name, parameter]) => [
    [name, parameter.kind],
    ...branchesOf(parameter).flatMap(([value, children]) =>
      kindsOf(children).map(([child, kind]): [string, Parameter['kind']] => [
        `${name}.${value}.${child}`,
        kind,
      ]),
    ),
  ]);
