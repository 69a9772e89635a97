/** What must not have happened, and how it is found out. */

import { isDeepStrictEqual } from 'node:util';
import type { OuterStep } from '@glocal/proto/glocal/v1/study';
import type { StudyEvent } from '@glocal/proto/glocal/v1/study_service';

export interface Finding {
  readonly kind: 'lost' | 'doubled' | 'diverged' | 'illegal';
  /** For people. */
  readonly text: string;
}

export const doubled = (text: string): Finding => ({ kind: 'doubled', text });
export const lost = (text: string): Finding => ({ kind: 'lost', text });
export const illegal = (text: string): Finding => ({ kind: 'illegal', text });

/** All there is to an outer step, but for its name and for times. */
export const essence = ({
  name: _name,
  timing: _timing,
  report,
  ...rest
}: OuterStep): Omit<OuterStep, 'name' | 'timing'> => ({
  ...rest,
  report: report && { ...report, computeTime: undefined },
});

/** The same of a step as an event has it, without rows. */
const lean = (step: OuterStep) => {
  const { window, ...rest } = essence(step);
  return { ...rest, window: window && { ...window, hypergradients: Buffer.alloc(0) } };
};

/** What a watcher was told of a trial must be what is stored, once each. */
export function compareTold(
  trial: string,
  events: readonly StudyEvent[],
  stored: readonly OuterStep[],
): Finding[] {
  const told = events.flatMap(({ event }) =>
    event?.$case === 'outerStep' && event.value.name.startsWith(`${trial}/`) ? [event.value] : [],
  );
  const findings: Finding[] = [];
  const gaps = stored.filter(({ index }, i) => index !== i + 1);
  if (gaps.length > 0)
    findings.push(doubled(`outer steps of ${trial} do not count: ${stored.map((step) => step.index)}`));
  for (const step of told) {
    const kept = stored.find(({ index }) => index === step.index);
    if (kept === undefined || !isDeepStrictEqual(lean(step), lean(kept))) {
      findings.push(lost(`outer step ${step.index} of ${trial}, which a watcher was told of`));
    }
  }
  if (told.length < stored.length) findings.push(lost(`${stored.length - told.length} events of ${trial}`));
  if (told.length > stored.length)
    findings.push(doubled(`${told.length - stored.length} events of ${trial}`));
  return findings;
}
