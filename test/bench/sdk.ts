/** Benchmarks of the SDK: what it weighs, and what it costs beside the calls that it makes. */

import type { Row } from './row.ts';
import { callRows } from './sdk/calls.ts';
import { documentRows } from './sdk/documents.ts';
import { externalRows } from './sdk/external.ts';
import { packageRows } from './sdk/package.ts';
import { studyRows } from './sdk/studies.ts';
import { typeRows } from './sdk/types.ts';

export const sdkRows = async (): Promise<Row[]> => [
  ...(await packageRows()),
  ...(await callRows()),
  ...(await studyRows()),
  ...(await externalRows()),
  ...(await typeRows()),
  ...documentRows(),
];
