/** Search spaces as people read them: a line for each parameter, in columns. */

import { counted } from './counted.ts';
import type { GivenParameter, Parameter, ParameterMap, ParameterSchedule } from './space.ts';
import { branchesOf } from './trial-space.ts';

/** What the columns hold: name, kind, what it may be, where it starts and how it moves. */
type Line = readonly [name: string, kind: string, range: string, start: string];

/** A line for each parameter; the end of each line is not padded. */
export function spaceTable(parameters: ParameterMap): string {
  const lines = linesOf(parameters);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Children stand below their parent, under the value that they exist with. */
const linesOf = (parameters: ParameterMap, indent = ''): Line[] =>
  Object.entries(parameters).flatMap(([name, parameter]) => [
    [`${indent}${name}`, ...describe(parameter)],
    ...branchesOf(parameter).flatMap(([value, children]): Line[] =>
      Object.keys(children).length === 0
        ? []
        : [[`${indent}  ${value}:`, '', '', ''], ...linesOf(children, `${indent}    `)],
    ),
  ]);

function describe(parameter: Parameter): [kind: string, range: string, start: string] {
  switch (parameter.kind) {
    case 'float':
    case 'vector': {
      const { min, max, init, scale = 'logit' } = parameter;
      return [kindOf(parameter), `${min} … ${max}`, `from ${listed([init].flat())}, ${scale}`];
    }
    case 'network': {
      const { hiddenUnits = 128, detached = false } = parameter;
      return ['network', counted(hiddenUnits, 'hidden unit'), detached ? 'detached' : ''];
    }
    case 'fixed':
      return [kindOf(parameter), listed([parameter.value].flat()), ''];
    case 'scheduled':
      return [kindOf(parameter), scheduleText(parameter), ''];
    case 'int': {
      const { min, max, step = 1 } = parameter;
      return ['int', `${min} … ${max}${step === 1 ? '' : ` by ${step}`}`, ''];
    }
    case 'bool':
      return ['bool', 'false, true', ''];
    case 'categorical':
    case 'discrete':
      return [parameter.kind, listed(parameter.values), ''];
  }
}

function kindOf(
  parameter: Extract<Parameter, { kind: 'float' | 'vector' | GivenParameter['kind'] }>,
): string {
  if (parameter.kind === 'float') return 'float';
  if (parameter.kind === 'scheduled') {
    return 'points' in parameter && parameter.per ? `scheduled per ${parameter.per}` : 'scheduled';
  }
  if (parameter.per !== undefined) return `${parameter.kind} per ${parameter.per}`;
  return parameter.kind === 'vector' ? `vector of ${parameter.size}` : 'fixed';
}

function scheduleText(schedule: ParameterSchedule): string {
  if ('points' in schedule) return counted(schedule.points.length, 'point');
  if ('replay' in schedule) {
    const { trial, parameter } = schedule.replay;
    return `as ${parameter === undefined ? 'in' : `${parameter} in`} ${trial}`;
  }
  const [shape, options] =
    'cosine' in schedule ? ['cosine', schedule.cosine] : ['cooldown', schedule.cooldown];
  const said = Object.entries(options).filter(([, value]) => value !== undefined);
  return `${shape}: ${said.map(([key, value]) => `${key} ${value}`).join(', ')}`;
}

/** Values of a list that are written out. */
const MOST = 8;

const listed = (values: readonly (string | number)[]): string =>
  values.length > MOST ? `${values.slice(0, MOST).join(', ')}, … (${values.length})` : values.join(', ');
