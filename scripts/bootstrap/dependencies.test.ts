import { expect, test } from 'vitest';
import { agree } from './dependencies.mjs';

const lock = {
  '': { version: '1.0.0' },
  sdk: { version: '0.1.0' },
  'node_modules/@glocal/sdk': { link: true },
  'node_modules/a': { version: '1.2.3', integrity: 'sha512-a' },
  'node_modules/a-darwin': { version: '1.2.3', integrity: 'sha512-d', optional: true },
};
const installed = {
  sdk: lock.sdk,
  'node_modules/@glocal/sdk': lock['node_modules/@glocal/sdk'],
  'node_modules/a': lock['node_modules/a'],
};

test('what npm installed agrees with the lockfile, without the packages for other platforms', () => {
  expect(agree(lock, installed)).toBe(true);
});

test.each<[string, Parameters<typeof agree>[1]]>([
  ['a missing package', { sdk: lock.sdk, 'node_modules/@glocal/sdk': { link: true } }],
  ['another version', { ...installed, 'node_modules/a': { version: '1.2.4', integrity: 'sha512-a' } }],
  ['other contents', { ...installed, 'node_modules/a': { version: '1.2.3', integrity: 'sha512-b' } }],
  ['a package too many', { ...installed, 'node_modules/b': { version: '1.0.0' } }],
])('%s disagrees', (_, found) => {
  expect(agree(lock, found)).toBe(false);
});
