/** Program: writes docs/settings.md. */

import { writeFileSync } from 'node:fs';
import { settingsTable } from './table.ts';

writeFileSync(new URL('../../../../docs/settings.md', import.meta.url), settingsTable());
