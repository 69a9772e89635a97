/** What there is to know of a data set without its files. */

import type { DatasetInfo } from '@glocal/proto/glocal/v1/study_service';

/** A data set as studies are checked against it: what the catalogue says of it, but for where its files are at the moment. */
export type DatasetSummary = Omit<DatasetInfo, 'files'>;
