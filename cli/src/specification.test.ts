import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlocalError } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { readSpecification } from './specification.ts';

const README = new URL('../README.md', import.meta.url);

it('is YAML, as README shows it, or JSON where the name says so', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-test-'));
  const [, yaml = ''] = (await readFile(README, 'utf8')).match(/```yaml\n(.*?)```/s) ?? [];
  const [asYaml, asJson] = [join(folder.path, 'study.yml'), join(folder.path, 'study.json')];
  await writeFile(asYaml, yaml);
  const spec = await readSpecification(asYaml);
  expect(Object.keys(spec.space.parameters)).toEqual(['lr', 'momentum', 'weightDecay']);
  await writeFile(asJson, '{ "space": { "lr": 0.1 }, "training": { "steps": 10 } }');
  await expect(readSpecification(asJson)).rejects.toThrow(GlocalError);
  await writeFile(asJson, yaml);
  await expect(readSpecification(asJson)).rejects.toMatchObject({ reason: 'NOT_READABLE' });
});

it('that is not there is named with its flag', async () => {
  await expect(readSpecification('nowhere.yaml')).rejects.toThrow(/^--file: ENOENT/);
});
