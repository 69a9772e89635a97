/** The trials of all studies, a page at a time. */

import type { Caller, ListTrialsRequest, ListTrialsResponse } from '@glocal/proto/glocal/v1/study_service';
import { listedOwner, mayKnow } from '../resource/caller.ts';
import { isTrialName, parseTrialName, studyName } from '../resource/names.ts';
import type { AllTrialsPage, Store } from '../store/store.ts';
import { MAX_PAGE_BYTES, PageTokens, pageSize, wrongPageToken } from './pages.ts';

/** In place of a study's name (AIP-159). */
export const ALL_STUDIES = studyName('-');

/** Those that a caller may see, without their values, which may be large. @throws FieldError for a token that is not of this list */
export async function trialsOfAll(
  store: Pick<Store, 'getStudy' | 'getDeleted' | 'listAllTrials'>,
  request: ListTrialsRequest,
  caller: Caller,
): Promise<ListTrialsResponse> {
  const owner = listedOwner(caller);
  const tokens = new PageTokens('trials', ALL_STUDIES, owner);
  const after = positionOf(tokens.parse(request.pageToken));
  if (after !== undefined) {
    const study = (await store.getStudy(after.study)) ?? (await store.getDeleted(after.study));
    if (study === undefined || !mayKnow(caller, study.owner)) throw wrongPageToken();
  }
  const page = { after, owner, limit: pageSize(request.pageSize), maxBytes: MAX_PAGE_BYTES };
  const { records, more } = await store.listAllTrials(page);
  return {
    trials: records.map((trial) => ({ ...trial, values: [] })),
    nextPageToken: tokens.make(more ? records.at(-1)?.name : undefined),
  };
}

/** Of the trial that a token names: its study may have been deleted meanwhile. */
function positionOf(name: string | undefined): AllTrialsPage['after'] {
  if (name === undefined) return undefined;
  if (!isTrialName(name)) throw wrongPageToken();
  const { study, trial } = parseTrialName(name, 'page_token');
  return { study: studyName(study), trial };
}
