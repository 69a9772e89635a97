/** Which studies ListStudies asks for. */

import { StudyState } from '@glocal/proto/glocal/v1/study';
import type { ListStudiesRequest } from '@glocal/proto/glocal/v1/study_service';
import { FieldError, type FieldViolation } from '../resource/errors.ts';
import type { StudyPage } from '../store/store.ts';
import { checkLabels, sortedLabels } from '../study/labels.ts';
import { oneOfNames } from '../study/specification/checker.ts';

/** @throws FieldError for a state that there is not, and for what is no label. */
export function studyFilter({ states, labels }: ListStudiesRequest): Pick<StudyPage, 'states' | 'labels'> {
  const known: ReadonlySet<number> = new Set(Object.values(StudyState).filter((state) => state > 0));
  const violations: FieldViolation[] = states.flatMap((state, i) =>
    known.has(state)
      ? []
      : [{ field: `states[${i}]`, description: `${state} is unknown; ${oneOfNames(StudyState)}` }],
  );
  violations.push(...checkLabels(labels));
  if (violations.length > 0) throw new FieldError('STUDY_FILTER', violations);
  return { states: [...new Set(states)].sort(), labels: sortedLabels(labels) };
}
