/** How the rate of the outer optimizer changes over the updates of a trial (docs/method.md, section 7). */

import { OuterSchedule } from '@glocal/proto/glocal/v1/study';

/**
 * The share of the rate that an update is made with, above 0 and at most 1.
 * @param update 0 for the first; a window that was taken back has none.
 * @param updates that there are to be, S.
 */
export function rateShareOf(schedule: OuterSchedule, update: number, updates: number): number {
  return schedule === OuterSchedule.COSINE ? (1 + Math.cos((Math.PI * update) / updates)) / 2 : 1;
}
