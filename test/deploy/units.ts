/** The units in deploy/systemd, read. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const unitFolder = join(import.meta.dirname, '../../deploy/systemd');

export interface Unit {
  readonly file: string;
  /** Whose program it starts. */
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What it starts, with arguments. */
  readonly command: readonly string[];
  /** The last value of each key. */
  readonly settings: Readonly<Record<string, string>>;
}

function readUnit(file: string, image: string): Unit {
  const lines = readFileSync(join(unitFolder, file), 'utf8').split('\n');
  const pairs = lines
    .filter((line) => /^[A-Z]\w*=/.test(line))
    .map((line) => /^(\w+)=(.*)$/.exec(line) ?? []);
  const variables = pairs
    .filter(([, key]) => key === 'Environment')
    .map(([, , value = '']) => value.split(/=(.*)/s));
  const settings = Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value]));
  return {
    ...{ file, image, settings },
    environment: Object.fromEntries(variables.map(([name = '', value = '']) => [name, value])),
    command: (settings.ExecStart ?? '').split(' '),
  };
}

export const UNITS: readonly Unit[] = [
  readUnit('glocal-trainer.service', 'glocal-trainer'),
  readUnit('glocal-dmd.service', 'glocal-dmd'),
  readUnit('glocal-dashboard.service', 'glocal-dashboard'),
];
