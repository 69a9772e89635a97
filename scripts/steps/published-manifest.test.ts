import { expect, it } from 'vitest';
import { publishedManifest, withoutScripts } from './published-manifest.ts';

it('a published manifest has what publishConfig says, and nothing of the checkout', () => {
  expect(
    publishedManifest({
      name: 'a',
      private: true,
      exports: './src/a.ts',
      scripts: { build: 'b' },
      dependencies: { '@glocal/proto': '1', c: '2' },
      devDependencies: { d: '3' },
      publishConfig: { access: 'public', exports: './lib/a.js', bin: './lib/main.js' },
    }),
  ).toEqual({
    name: 'a',
    exports: './lib/a.js',
    bin: './lib/main.js',
    dependencies: { c: '2' },
    publishConfig: { access: 'public' },
  });
});

it('of a dependency that comes inside, npm runs nothing', () => {
  const manifest = {
    name: 'a',
    scripts: { install: 'download' },
    gypfile: true,
    dependencies: { used: '1', other: '2' },
  };
  expect(withoutScripts(manifest, ['used'])).toEqual({ name: 'a', dependencies: { used: '1' } });
});
