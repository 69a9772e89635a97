/** What tests of the full data sets need. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = process.env.GLOCAL_DATA_DIR ?? '';

/** Whether this machine's `GLOCAL_DATA_DIR` has an idx data set; read before tests change the variable. */
export const hasIdxSet = (id: string): boolean =>
  FOLDER !== '' &&
  ['train-images-idx3-ubyte.gz', 'train-images-idx3-ubyte'].some((name) =>
    existsSync(join(FOLDER, id, name)),
  );

/** The line that a skipped test shows. */
export const lacks = (id: string): string => `GLOCAL_DATA_DIR has no ${id}`;
