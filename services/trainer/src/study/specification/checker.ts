/** Collects what is wrong with a study, field by field. */

import type { FieldViolation } from '../../resource/errors.ts';

export class Checker {
  readonly violations: FieldViolation[] = [];

  /** Records `description` for `field` unless `condition` holds; tells whether it does. */
  require(condition: boolean, field: string, description: string): boolean {
    if (!condition) this.violations.push({ field, description });
    return condition;
  }
}
