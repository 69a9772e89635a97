import { specFromYaml } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { STUDY, withProject } from './project.ts';

const NOTHING = { folder: '/projects', manifest: {} };

it('a project inside another takes its packages from the same files', () => {
  const manifest = { dependencies: { '@glocal/sdk': 'file:../sdk.tgz', '@glocal/cli': '^0.0.1' } };
  const { dependencies } = withProject({}, '/projects/first', { folder: '/projects', manifest });
  expect(dependencies).toMatchObject({
    ...{ '@glocal/sdk': 'file:../../sdk.tgz', '@glocal/cli': expect.stringMatching(/^\^\d/) },
  });
});

it('a manifest keeps what it has, and gets what the project needs', () => {
  const before = { name: 'mine', scripts: { tune: 'mine' }, dependencies: { '@glocal/sdk': 'file:sdk.tgz' } };
  const after = withProject(before, '/projects/folder', NOTHING);
  expect(after).toMatchObject({ name: 'mine', scripts: { serve: 'glocal serve', tune: 'mine' } });
  expect(after.dependencies?.['@glocal/sdk']).toBe('file:sdk.tgz');
  expect(after.dependencies?.['@glocal/trainer']).toMatch(/^\^\d/);
  expect(withProject({}, '/projects/folder', NOTHING).name).toBe('folder');
});

it('the study is one that the SDK takes', () => {
  expect(Object.keys(specFromYaml(STUDY).space.parameters)).toEqual(['lr', 'beta', 'weightDecay']);
});
