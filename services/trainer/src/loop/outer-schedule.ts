/** How the rate of the outer optimizer changes while a trial trains (docs/method.md, section 7). */

import { OuterSchedule } from '@glocal/proto/glocal/v1/study';

/**
 * The share of the rate that an update is made with, above 0 and at most 1.
 * @param done share of the inner steps that are done where its outer step begins, 0 for the first and below 1.
 */
export const rateShareOf = (schedule: OuterSchedule, done: number): number =>
  schedule === OuterSchedule.COSINE ? (1 + Math.cos(Math.PI * done)) / 2 : 1;
