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

it('what is wrong names the file, and not what a program would write', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-test-'));
  const file = join(folder.path, 'study.yaml');
  const refusal = async (content: string | Uint8Array) => {
    await writeFile(file, content);
    return readSpecification(file).then(
      () => expect.unreachable(),
      (error) => error,
    );
  };
  const [{ field, description }] = (await refusal('a: [')).fieldViolations;
  expect({ field, description }).toEqual({ field: file, description: expect.stringMatching(/^line 1/) });
  const lacking = await refusal('training: { steps: 10 }');
  expect(lacking.message).toContain('space: is not a search space');
  expect(lacking.message).not.toContain('make it with');
  const noText = await refusal(Uint8Array.of(0xff, 0x00, 0x9b, 0x41));
  expect(noText).toMatchObject({ exitCode: 65, message: `--file: ${file} is not text in UTF-8` });
  expect((await refusal('x'.repeat(5_000))).message.length).toBeLessThan(1_000);
});
