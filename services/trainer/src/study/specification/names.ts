/** What people and programs call a study, and how urgent it is to them. */

import type { Study } from '@glocal/proto/glocal/v1/study';
import { characters } from '../../resource/quote.ts';
import { checkLabels } from '../labels.ts';
import type { Checker } from './checker.ts';

const MAX_NAME = 200;
/** Of a priority, above and below 0. */
const MAX_PRIORITY = 100;

export function checkNames(
  { displayName, labels, priority }: Pick<Study, 'displayName' | 'labels' | 'priority'>,
  check: Checker,
): void {
  const length = characters(displayName);
  check.require(length <= MAX_NAME, 'display_name', `has ${length} characters; at most ${MAX_NAME}`);
  check.require(
    Math.abs(priority) <= MAX_PRIORITY,
    'priority',
    `${priority} is not from -${MAX_PRIORITY} to ${MAX_PRIORITY}`,
  );
  check.violations.push(...checkLabels(labels));
}
