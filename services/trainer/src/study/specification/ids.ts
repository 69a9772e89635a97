/** Ids of data sets, models and optimizers that a study may name. */

import { listed, quote } from '../../resource/quote.ts';
import type { Catalogue } from '../catalogue.ts';

/** What is wrong with an id of each kind; undefined where the catalogue has it. */
export const idFault = {
  dataset: (id: string, { datasets, brokenDatasets }: Catalogue): string | undefined =>
    brokenDatasets.get(id)?.message ??
    unknown(
      'data set',
      id,
      datasets.map((dataset) => dataset.id),
    ),
  model: (id: string, { models }: Catalogue): string | undefined =>
    unknown(
      'model',
      id,
      models.map(({ info }) => info.id),
    ),
  optimizer: (id: string, { optimizers }: Catalogue): string | undefined =>
    unknown(
      'optimizer',
      id,
      optimizers.map((optimizer) => optimizer.id),
    ),
} as const;

const unknown = (what: string, id: string, known: readonly string[]): string | undefined =>
  known.includes(id) ? undefined : `unknown ${what} ${quote(id)}; one of ${listed(known)}`;
