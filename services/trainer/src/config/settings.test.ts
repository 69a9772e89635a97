import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flagOf, keyOf, settings, variableOf } from './settings.ts';
import { settingsTable } from './table.ts';

it('docs/settings.md is up to date', () => {
  const file = readFileSync(new URL('../../../../docs/settings.md', import.meta.url), 'utf8');
  expect(file, 'node services/trainer/src/config/write-table.ts makes it anew').toBe(settingsTable());
});

describe('a setting', () => {
  it('has its names from one name', () => {
    expect([flagOf('dmdTlsCa'), variableOf('dmdTlsCa'), keyOf('dmdTlsCa')]).toEqual([
      '--dmd-tls-ca',
      'GLOCAL_DMD_TLS_CA',
      'dmd_tls_ca',
    ]);
  });

  it.each(settings().filter(([, { default: usual }]) => usual !== undefined))(
    'has a default that it accepts: %s',
    (_, { kind, default: usual }) => {
      expect(kind.schema.parse(usual)).toEqual(usual);
      expect(kind.schema.parse(kind.fromText(String(usual)))).toEqual(usual);
    },
  );
});
