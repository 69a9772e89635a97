/** The modules of the DMD service: none imports one that imports it, however far around. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './repository.ts';
import { circles, importsOf, type Modules } from './rust-imports.ts';

const sources = join(root, 'services/dmd/src');

/** Files by the path of their module; the crate's root is ''. */
const modules: Modules = new Map(
  globSync('**/*.rs', { cwd: sources })
    .filter((file) => file !== 'main.rs')
    .map((file) => [
      file.replace(/(^|\/)(mod|lib)\.rs$|\.rs$/, '').replaceAll('/', '::'),
      readFileSync(join(sources, file), 'utf8'),
    ]),
);
const imports = importsOf(modules);

test('no module imports itself by way of others', () => {
  expect(circles(imports)).toEqual([]);
});

test('the library knows nothing of the service, and the service nothing of the command line', () => {
  const layer = (name: string) => ['', 'server', 'cli'].indexOf(/^(server|cli)\b/.exec(name)?.[0] ?? '');
  const upward = [...imports]
    .filter(([from]) => from !== '')
    .flatMap(([from, targets]) => targets.map((to) => [from, to] as const))
    .filter(([from, to]) => layer(to) > layer(from));
  expect(upward).toEqual([]);
});

test('imports are found in every form that Rust has for them', () => {
  const found = importsOf(
    new Map([
      ['', 'mod a;\npub use a::{A, b::B as C};\nuse crate::d::D;'],
      ['a', 'mod b;\npub use self::b::B;\npub struct A;'],
      ['a::b', '// use super::comment;\nuse super::super::d;\nuse std::{fs, io};\nfn f() -> crate::A {}'],
      ['d', 'use crate::{C, a::A};\n#[cfg(test)]\nmod tests {\n    use crate::a::b::B;\n}\n'],
    ]),
  );
  expect(found).toEqual(
    new Map([
      ['', ['a', 'a::b', 'd']],
      ['a', ['a::b']],
      ['a::b', ['a', 'd']],
      ['d', ['a', 'a::b']],
    ]),
  );
  expect(circles(found)).toEqual([['a', 'a::b', 'd']]);
});
