/** Program: writes docs/kernels.md. */

import { writeFileSync } from 'node:fs';
import { kernelTable } from './coverage.ts';

writeFileSync(new URL('../../../../../docs/kernels.md', import.meta.url), await kernelTable());
