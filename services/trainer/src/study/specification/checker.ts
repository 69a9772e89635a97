/** Collects what is wrong with a study, field by field. */

import type { FieldViolation } from '../../resource/errors.ts';

/** An enumeration of the contract, as it is generated. */
type Enumeration = Readonly<Record<string, number>>;

export class Checker {
  readonly violations: FieldViolation[] = [];

  /** Records `description` for `field` unless `condition` holds; tells whether it does. */
  require(condition: boolean, field: string, description: string): boolean {
    if (!condition) this.violations.push({ field, description });
    return condition;
  }

  /**
   * Records a number that the enumeration does not have: a client with a newer contract may send any. Tells whether it has
   * it; 0, which stands for the default, counts.
   */
  oneOf(value: number, enumeration: Enumeration, field: string): boolean {
    if (value >= 0 && Object.values(enumeration).includes(value)) return true;
    return this.require(false, field, `${value} is unknown; ${oneOfNames(enumeration)}`);
  }

  /** Records a number that is not a whole one from `least` to `most`; tells whether it is. @param what in the plural. */
  whole(value: number, [least, most]: readonly [number, number], field: string, what: string): boolean {
    const fits = Number.isInteger(value) && value >= least && value <= most;
    return this.require(fits, field, `${value} is not a number of ${what} from ${least} to ${most}`);
  }
}

/** The values of an enumeration that can be named, for a message. */
export function oneOfNames(enumeration: Enumeration): string {
  const names = Object.keys(enumeration).filter((name) => (enumeration[name] as number) > 0);
  return `one of ${names.join(', ')}`;
}
