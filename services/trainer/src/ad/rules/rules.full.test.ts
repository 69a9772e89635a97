/** Many calls of every kernel. */

import { rulesHold } from './rules-hold.ts';

rulesHold(60);
