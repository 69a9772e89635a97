import { specFromYaml } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { installation, readme, STUDY, withProject } from './project.ts';

it('a project inside another takes its packages from the same files, also those that only the others need', () => {
  const manifest = {
    dependencies: { '@glocal/sdk': 'file:../sdk.tgz', '@glocal/cli': '^0.0.1', other: 'file:other' },
    devDependencies: { '@glocal/dashboard': 'file:../dashboard.tgz' },
  };
  const { dependencies } = withProject({}, '/projects/first', [{ folder: '/projects', manifest }]);
  expect(dependencies).toEqual({
    '@glocal/sdk': 'file:../../sdk.tgz',
    '@glocal/cli': expect.stringMatching(/^\^\d/),
    '@glocal/trainer': expect.stringMatching(/^\^\d/),
    '@glocal/dashboard': 'file:../../dashboard.tgz',
  });
});

it('the project that it is made in comes before the one that glocal is installed in', () => {
  const having = (folder: string, file: string) => ({
    folder,
    manifest: { dependencies: { '@glocal/sdk': `file:${file}`, [`@glocal/${file}`]: `file:${file}` } },
  });
  const { dependencies } = withProject({}, '/a/first', [having('/a', 'near'), having('/b', 'far')]);
  expect(dependencies).toMatchObject({
    ...{ '@glocal/sdk': 'file:../near', '@glocal/near': 'file:../near', '@glocal/far': 'file:../../b/far' },
  });
});

it('glocal is installed in the project whose node_modules it is in', () => {
  expect(installation('/a/b/node_modules/@glocal/cli/lib/commands')).toEqual(['/a/b']);
  expect(installation('/clone/cli/src/commands')).toEqual([]);
});

it('a manifest keeps what it has, of which kind its modules are, too, and gets what the project needs', () => {
  const before = {
    main: 'index.js',
    scripts: { serve: 'mine' },
    dependencies: { '@glocal/sdk': 'file:sdk.tgz' },
  };
  const after = withProject(before, '/projects/folder', []);
  expect(after).toMatchObject({ main: 'index.js', scripts: { serve: 'mine', tune: 'node tune.mjs' } });
  for (const key of ['name', 'type', 'private']) expect(after).not.toHaveProperty(key);
  expect(after.dependencies?.['@glocal/sdk']).toBe('file:sdk.tgz');
  expect(after.dependencies?.['@glocal/trainer']).toMatch(/^\^\d/);
});

it('commands are those that run ours where a script of that name is another', () => {
  const mine = readme('first', withProject({ scripts: { serve: 'mine' } }, '/projects/folder', []));
  expect(mine).toMatch(/^npx glocal serve {3}# .*\nnpm run tune {7}# /m);
  expect(mine).not.toContain('npm run serve');
  expect(readme('first', withProject({}, '/projects/folder', []))).toContain('npm run serve');
});

it.each([
  ['folder', 'folder'],
  ['New project äö', 'new-project-ao'],
  ['.._', 'study'],
])('the folder %j is the package %j', (folder, name) => {
  expect(withProject({}, `/projects/${folder}`, []).name).toBe(name);
});

it('the study is one that the SDK takes', () => {
  expect(Object.keys(specFromYaml(STUDY).space.parameters)).toEqual(['lr', 'beta', 'weightDecay']);
});
