/** A parameter that has one value for the whole of a trial: int, bool, categorical or discrete. */

import type {
  BoolParameter,
  CategoricalParameter,
  Choice,
  DiscreteParameter,
  IntParameter,
  Parameter,
} from '@glocal/proto/glocal/v1/study';
import type { HyperparameterInfo } from '@glocal/proto/glocal/v1/study_service';
import { characters, quote } from '../../resource/quote.ts';
import type { ProblemField } from '../problem-fields.ts';
import type { Checker } from './checker.ts';
import { SPACE } from './defaults.ts';
import { inDomain } from './domain.ts';
import { checkList, finiteNumber } from './float.ts';

const MAX_VALUES = 256;
const MAX_NAME = 200;
const MAX_INT = 2 ** 31 - 1;

/** The kind of such a parameter. */
export type ChoiceKind =
  | { $case: 'int'; value: IntParameter }
  | { $case: 'bool'; value: BoolParameter }
  | { $case: 'categorical'; value: CategoricalParameter }
  | { $case: 'discrete'; value: DiscreteParameter };

/** What each kind gives a trial. */
const GIVES = {
  int: 'number',
  bool: 'flag',
  categorical: 'category',
  discrete: 'number',
} as const satisfies Record<ChoiceKind['$case'], NonNullable<Choice['value']>['$case']>;

const KINDS = { number: 'int or discrete', flag: 'bool', category: 'categorical' } as const;

/** What the values of a choice may be. */
export interface ChoiceDomain {
  /** The field of the problem that it chooses. */
  readonly field: ProblemField | undefined;
  /** The hyperparameter that it is, as each optimizer has it. */
  readonly infos: readonly HyperparameterInfo[];
  /** What is wrong with a name; undefined where nothing is. */
  readonly fault: (name: string) => string | undefined;
}

export const makesTrials = (kind: NonNullable<Parameter['kind']>): kind is ChoiceKind => kind.$case in GIVES;

/** The kinds of parameter that can choose a field of the problem, for a message. */
export const kindsOf = ({ takes }: ProblemField): string => KINDS[takes];

export function completeChoice(
  kind: ChoiceKind,
  path: string,
  domain: ChoiceDomain,
  check: Checker,
): ChoiceKind {
  const takes = domain.field?.takes ?? (domain.infos.length > 0 ? 'number' : GIVES[kind.$case]);
  const isHyperparameter = domain.field === undefined;
  check.require(
    GIVES[kind.$case] === takes,
    path,
    `cannot be ${kind.$case}; make it ${isHyperparameter ? 'float, fixed, int or discrete' : KINDS[takes]}`,
  );
  switch (kind.$case) {
    case 'int':
      return { $case: 'int', value: completeInt(kind.value, path, domain, check) };
    case 'categorical':
      checkNames(kind.value.values, `${path}.values`, domain, check);
      return kind;
    case 'discrete':
      checkNumbers(kind.value.values, `${path}.values`, domain, check);
      return kind;
    case 'bool':
      return kind;
  }
}

function completeInt(
  requested: IntParameter,
  path: string,
  domain: ChoiceDomain,
  check: Checker,
): IntParameter {
  const { min, max } = requested;
  const step = requested.step || SPACE.step;
  check.require(min <= max, `${path}.min`, `${min} is above max (${max})`);
  check.require(step >= 1, `${path}.step`, `${step} is not a positive distance`);
  checkNumber(min, `${path}.min`, domain, check);
  checkNumber(max, `${path}.max`, domain, check);
  return { min, max, step };
}

function checkNames(values: readonly string[], field: string, { fault }: ChoiceDomain, check: Checker): void {
  if (!checkValues(values, field, check)) return;
  for (const value of values) {
    const length = characters(value);
    const fits = length >= 1 && length <= MAX_NAME;
    const why = fits ? fault(value) : `${quote(value)} has ${length} characters; a name has 1 to ${MAX_NAME}`;
    check.require(why === undefined, field, why ?? '');
  }
}

function checkNumbers(values: readonly number[], field: string, domain: ChoiceDomain, check: Checker): void {
  if (!checkValues(values, field, check)) return;
  for (const value of values) {
    if (finiteNumber(value, field, check)) checkNumber(value, field, domain, check);
  }
}

const checkValues = (values: readonly unknown[], field: string, check: Checker): boolean =>
  check.require(values.length > 0, field, 'has no values') && checkList(values, MAX_VALUES, field, check);

function checkNumber(value: number, field: string, domain: ChoiceDomain, check: Checker): void {
  inDomain(value, field, domain.infos, check);
  const { range } = domain.field ?? {};
  if (range === undefined) return;
  const { least, whole } = range;
  check.require(
    value >= least && (!whole || (Number.isInteger(value) && value <= MAX_INT)),
    field,
    `${value} is not a ${whole ? 'whole ' : ''}number of ${least} or more`,
  );
}
