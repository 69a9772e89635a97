/** What people and programs call a study. */

import type { Study } from '@glocal/proto/glocal/v1/study';
import { characters } from '../../resource/quote.ts';
import { checkLabels } from '../labels.ts';
import type { Checker } from './checker.ts';

const MAX_NAME = 200;

export function checkNames(
  { displayName, labels }: Pick<Study, 'displayName' | 'labels'>,
  check: Checker,
): void {
  const length = characters(displayName);
  check.require(length <= MAX_NAME, 'display_name', `has ${length} characters; at most ${MAX_NAME}`);
  check.violations.push(...checkLabels(labels));
}
