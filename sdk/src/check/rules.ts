/**
 * What makes no sense whatever a server has: the server's own rules, which are part of this package, so that it says the same
 * before a call as the server would after one.
 */

import type { Study } from '@glocal/proto/glocal/v1/study';
import { brokenRules } from '@glocal/trainer/rules';
import { asCallersWrite } from '../enums.ts';
import { GlocalError } from '../error.ts';
import { fieldPath } from '../field-path.ts';

/** @throws GlocalError INVALID_ARGUMENT, reason STUDY or SEARCH_SPACE as the server's, with everything that is wrong. */
export function checkRules(study: Study): void {
  const violations = brokenRules(study).map(({ field, description }) => ({
    field: fieldPath(field),
    description: asCallersWrite(description),
  }));
  if (violations.length === 0) return;
  const isOfSpace = violations.every(({ field }) => field.startsWith('space'));
  throw GlocalError.invalid(isOfSpace ? 'SEARCH_SPACE' : 'STUDY', violations);
}
