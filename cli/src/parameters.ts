/** Parameters of a search space, those within branches, too. */

import type { Parameter, ParameterMap } from '@glocal/sdk';

/**
 * By name, in the order of the space, children after their parent.
 * @param choices of a trial, which has one branch of each parameter that has them; without it, all of them.
 */
export function parametersOf(
  parameters: ParameterMap,
  choices?: Readonly<Record<string, unknown>>,
): [name: string, parameter: Parameter][] {
  return Object.entries(parameters).flatMap(([name, parameter]) => {
    const branches = parameter.kind === 'categorical' ? Object.entries(parameter.children ?? {}) : [];
    const taken = branches.filter(([value]) => choices === undefined || value === choices[name]);
    return [[name, parameter], ...taken.flatMap(([, children]) => parametersOf(children, choices))];
  });
}
