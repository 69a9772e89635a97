/** How far the estimate of a window was trusted, and why. */

import { verdictOf } from '../palette.ts';

interface VerdictLineProps {
  readonly verdict: string | undefined;
  readonly reason: string | undefined;
  /** Whether it is told as it changes, to those who do not see it. */
  readonly isTold?: boolean;
}

export function VerdictLine({ verdict, reason, isTold = false }: VerdictLineProps) {
  const { colour, sign, text } = verdictOf(verdict);
  return (
    <p class="verdict-line" role={isTold ? 'status' : undefined}>
      <span class="verdict" style={{ '--is': `var(${colour})` }}>
        <span aria-hidden="true">{sign}</span> {text}
      </span>{' '}
      {reason}
    </p>
  );
}
