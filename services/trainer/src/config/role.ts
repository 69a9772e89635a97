/** What a process does of what there is to do: which settings that needs, and which it rules out. */

import { isDatabase } from './database.ts';
import { ConfigError } from './errors.ts';
import { type Settings, waysTo } from './settings.ts';

/** @throws ConfigError naming the setting. */
export function checkRole({
  role,
  store,
  once,
  onceNoWorkOk,
}: Pick<Settings, 'role' | 'store' | 'once' | 'onceNoWorkOk'>): void {
  if (once && role !== 'worker') {
    throw new ConfigError(`${waysTo('once')}: is for --role worker; this is --role ${role}`);
  }
  if (onceNoWorkOk && !once) throw new ConfigError(`${waysTo('onceNoWorkOk')}: is for --once`);
  if (role === 'all' || isDatabase(store)) return;
  throw new ConfigError(
    `${waysTo('role')}: servers and workers share a PostgreSQL database, which --store is not; ` +
      'name one there (postgres://USER@HOST:PORT/DATABASE), or leave --role out: then one process does all',
  );
}
