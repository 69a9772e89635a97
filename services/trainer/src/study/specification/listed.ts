/** The parameters that a space lists. */

import type { Parameter, SearchSpace } from '@glocal/proto/glocal/v1/study';
import type { Checker } from './checker.ts';

const MAX_PARAMETERS = 64;

export interface ListedParameter {
  readonly parameter: Parameter;
  /** What messages call it. */
  readonly path: string;
}

/**
 * As many as a space may have, each checked before the next one is asked for.
 * @param nameFault what is wrong with a name; undefined when it may be one.
 */
export function* listedParameters(
  requested: SearchSpace | undefined,
  nameFault: (name: string) => string | undefined,
  check: Checker,
): Generator<ListedParameter> {
  const listed = requested?.parameters ?? [];
  check.require(
    listed.length <= MAX_PARAMETERS,
    'space.parameters',
    `${listed.length} are more than the ${MAX_PARAMETERS} that a space may have`,
  );
  const names = new Set<string>();
  for (const [position, parameter] of listed.slice(0, MAX_PARAMETERS).entries()) {
    const { name } = parameter;
    const fault = nameFault(name);
    const path = fault === undefined ? `space.${name}` : `space.parameters[${position}]`;
    check.require(fault === undefined, path, fault ?? '');
    check.require(!names.has(name), path, 'is listed twice');
    names.add(name);
    yield { parameter, path };
  }
}
