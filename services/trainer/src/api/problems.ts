/** The catalogue in pages (ListProblems): its lists one after another, each page with a piece of them. */

import {
  DatasetInfo,
  HyperparameterInfo,
  type ListProblemsRequest,
  ListProblemsResponse,
  ModelInfo,
  ModuleInfo,
  OptimizerInfo,
} from '@glocal/proto/glocal/v1/study_service';
import { PageRoom } from '../resource/page-room.ts';
import type { Catalogue, ModelEntry } from '../study/catalogue.ts';
import { MAX_PAGE_BYTES, PageTokens, pageSize } from './pages.ts';

/** What of the catalogue is listed. */
export type Listed = Pick<Catalogue, 'optimizers' | 'lossHyperparameters'> & {
  readonly datasets: readonly DatasetInfo[];
  readonly models: readonly Pick<ModelEntry, 'info'>[];
  readonly modules?: readonly ModuleInfo[];
};

/** One thing of the catalogue: its size in a message, and how it gets into a page. */
interface Entry {
  readonly bytes: number;
  addTo(page: ListProblemsResponse): void;
}

/** @throws FieldError for a size that is negative, or a token that this method has not given. */
export function listProblems(catalogue: Listed, request: ListProblemsRequest): ListProblemsResponse {
  const all = entries(catalogue);
  const limit = pageSize(request.pageSize, { usual: all.length, most: all.length });
  const room = new PageRoom({ limit, maxBytes: MAX_PAGE_BYTES });
  const page = ListProblemsResponse.create();
  const tokens = new PageTokens('problems');
  let next = tokens.parseNumber(request.pageToken);
  for (const entry of all.slice(next)) {
    if (!room.take(entry.bytes)) break;
    entry.addTo(page);
    next += 1;
  }
  return { ...page, nextPageToken: tokens.make(next < all.length ? next : undefined) };
}

function entries({ datasets, models, optimizers, lossHyperparameters, modules = [] }: Listed): Entry[] {
  return [
    ...datasets.map((info) => ({
      bytes: DatasetInfo.encode(info).finish().length,
      addTo: (page: ListProblemsResponse) => page.datasets.push(info),
    })),
    ...models.map(({ info }) => ({
      bytes: ModelInfo.encode(info).finish().length,
      addTo: (page: ListProblemsResponse) => page.models.push(info),
    })),
    ...optimizers.map((info) => ({
      bytes: OptimizerInfo.encode(info).finish().length,
      addTo: (page: ListProblemsResponse) => page.optimizers.push(info),
    })),
    ...lossHyperparameters.map((info) => ({
      bytes: HyperparameterInfo.encode(info).finish().length,
      addTo: (page: ListProblemsResponse) => page.lossHyperparameters.push(info),
    })),
    ...modules.map((info) => ({
      bytes: ModuleInfo.encode(info).finish().length,
      addTo: (page: ListProblemsResponse) => page.modules.push(info),
    })),
  ];
}
