import { specFromYaml } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { STUDY, withProject } from './project.ts';

it('a manifest keeps what it has, and gets what the project needs', () => {
  const before = { name: 'mine', scripts: { tune: 'mine' }, dependencies: { '@glocal/sdk': 'file:sdk.tgz' } };
  const after = withProject(before, 'folder');
  expect(after).toMatchObject({ name: 'mine', scripts: { serve: 'glocal serve', tune: 'mine' } });
  expect(after.dependencies?.['@glocal/sdk']).toBe('file:sdk.tgz');
  expect(after.dependencies?.['@glocal/trainer']).toMatch(/^\^\d/);
  expect(withProject({}, 'folder').name).toBe('folder');
});

it('the study is one that the SDK takes', () => {
  expect(Object.keys(specFromYaml(STUDY).space.parameters)).toEqual(['lr', 'beta', 'weightDecay']);
});
