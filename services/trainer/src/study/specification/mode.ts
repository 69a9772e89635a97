/** Who runs the outer loop, and how long a trial waits for who drives it. */

import { RunMode, type Study } from '@glocal/proto/glocal/v1/study';
import { type Duration, milliseconds } from '../../resource/duration.ts';
import type { Checker } from './checker.ts';
import { DECISION_TIMEOUT } from './defaults.ts';

const MAX_DECISION_DAYS = 30;
const MAX_DECISION_MS = MAX_DECISION_DAYS * 24 * 60 * 60 * 1_000;

export function completeMode(
  requested: Pick<Study, 'mode' | 'decisionTimeout'>,
  check: Checker,
): Pick<Study, 'mode' | 'decisionTimeout'> {
  const mode = requested.mode || RunMode.MANAGED;
  check.oneOf(mode, RunMode, 'mode');
  if (mode !== RunMode.DRIVEN) {
    const isLeftOut = requested.decisionTimeout === undefined;
    check.require(isLeftOut, 'decision_timeout', 'is for DRIVEN only; leave it out');
    return { mode, decisionTimeout: undefined };
  }
  const decisionTimeout = isZero(requested.decisionTimeout) ? DECISION_TIMEOUT : requested.decisionTimeout;
  checkTimeout(decisionTimeout, check);
  return { mode, decisionTimeout };
}

const isZero = (duration: Duration | undefined): duration is undefined =>
  duration === undefined || (duration.seconds === 0n && duration.nanos === 0);

function checkTimeout({ seconds, nanos }: Duration, check: Checker): void {
  const ms = milliseconds({ seconds, nanos });
  const told = `${ms / 1_000} s is not a time above 0 of at most ${MAX_DECISION_DAYS} days`;
  check.require(nanos >= 0 && nanos < 1e9 && ms > 0 && ms <= MAX_DECISION_MS, 'decision_timeout', told);
}
