/** What the processes that share a store tell each other: that something happened, not what is in the store. */

import type { TrialProgress } from '@glocal/proto/glocal/v1/study_service';

export type Notice =
  /** Something was stored for a study. */
  | { readonly kind: 'changed'; readonly study: string }
  /** A study was deleted. */
  | { readonly kind: 'removed'; readonly study: string }
  /** A trial got on; only the latest of these counts. */
  | { readonly kind: 'progressed'; readonly progress: TrialProgress }
  /** A trial does not run any more: its progress is history. */
  | { readonly kind: 'forgotten'; readonly trial: string }
  /** Trials of a study wait for a worker. */
  | { readonly kind: 'work'; readonly study: string }
  /** A study was paused or cancelled: whoever trains a trial of it looks at once. */
  | { readonly kind: 'halted'; readonly study: string }
  /** A window of a trial was proposed, or decided about. */
  | { readonly kind: 'drive'; readonly trial: string }
  /** A client works on a trial from outside; those with a lower number have lost it. */
  | { readonly kind: 'seat'; readonly trial: string; readonly number: number }
  /** Notices may have been missed: everything counts as changed. */
  | { readonly kind: 'everything' };

/**
 * What a notice is about, as text: of two that are about the same, the later one says all that the earlier one did.
 */
export function topicOf(notice: Notice): string {
  switch (notice.kind) {
    case 'changed':
    case 'removed':
    case 'work':
    case 'halted':
      return `${notice.kind} ${notice.study}`;
    // What a trial was at is history once it does not run, and the other way round.
    case 'progressed':
      return `progress ${notice.progress.trial}`;
    case 'forgotten':
      return `progress ${notice.trial}`;
    case 'drive':
    case 'seat':
      return `${notice.kind} ${notice.trial}`;
    case 'everything':
      return notice.kind;
  }
}
