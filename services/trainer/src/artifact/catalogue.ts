/** The catalogue as one caller's study sees it: with the artifacts that it names. */

import type { Study } from '@glocal/proto/glocal/v1/study';
import type { Caller } from '@glocal/proto/glocal/v1/study_service';
import { mayKnow } from '../resource/caller.ts';
import { isArtifactName } from '../resource/names.ts';
import type { Store } from '../store/store.ts';
import { type Catalogue, modelEntry } from '../study/catalogue.ts';
import { type ArtifactDescription, datasetInfo, modelSummary } from './description.ts';

/** Names of the artifacts that a study names: in its problem, or as one of the choices for it. */
export function artifactsOf({ problem, space }: Study): string[] {
  const chosen = (space?.parameters ?? []).flatMap(({ name, kind }) =>
    kind?.$case === 'categorical' && (name === 'dataset' || name === 'model') ? kind.value.values : [],
  );
  const named = [problem?.dataset ?? '', problem?.model ?? '', ...chosen];
  return [...new Set(named.filter(isArtifactName))];
}

/** What belongs to somebody else is left out, as if it were not there. */
export async function withArtifacts(
  catalogue: Catalogue,
  study: Study,
  store: Pick<Store, 'getArtifact'>,
  caller: Readonly<Caller>,
): Promise<Catalogue> {
  const datasets = [...catalogue.datasets];
  const classSizes = new Map(catalogue.classSizes);
  const models = [...catalogue.models];
  for (const name of artifactsOf(study)) {
    const stored = await store.getArtifact(name);
    if (stored === undefined || !mayKnow(caller, stored.artifact.owner)) continue;
    const description = JSON.parse(stored.description) as ArtifactDescription;
    if (description.kind === 'model') {
      models.push(modelEntry(modelSummary(name, description)));
    } else {
      datasets.push(datasetInfo(name, description));
      classSizes.set(name, description.classSizes);
    }
  }
  return { ...catalogue, datasets, classSizes, models };
}
