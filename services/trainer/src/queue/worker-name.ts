/** What workers are called. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** Of a process, and never again. @param given for people. */
export const workerName = (given = `${hostname()}-${process.pid}`): string =>
  `${given}-${randomBytes(4).toString('hex')}`;
