/** What has to know of a DMD variant, beside its own file: a variant of the contract is in all of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './repository.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');

const variants = [...read('proto/glocal/v1/dmd.proto').matchAll(/^ {2}VARIANT_(\w+) = [1-9]\d*;$/gm)].map(
  ([, name = '']) => name,
);

test('the contract has variants', () => {
  expect(variants).toContain('HANKEL');
});

describe.each(variants)('%s', (name) => {
  test('has a row in the table of the DMD service, from which its other places follow', () => {
    expect(read('services/dmd/src/variant/table.rs')).toMatch(new RegExp(`^ {4}\\w+, "${name}", `, 'm'));
  });

  test('can be asked for with the SDK', () => {
    const type = /^export type Variant =([^;]*);/m.exec(read('sdk/src/enums.ts'))?.[1];
    expect(type).toContain(`'${name.toLowerCase()}'`);
  });

  test('is explained in the documents', () => {
    expect(read('docs/dmd.md')).toMatch(new RegExp(`^\\| [A-Z_, ]*\\b${name}\\b`, 'm'));
  });
});
