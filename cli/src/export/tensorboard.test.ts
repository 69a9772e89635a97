import { mkdtempDisposable, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Run } from './run.ts';
import { folderName, writeTensorBoard } from './tensorboard.ts';

it('replaces what an export before the trial began had written, and nothing of others', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-tensorboard-'));
  const run: Run = {
    ...{ name: 'small', trial: 'studies/01abcdefgh/trials/0', state: 'PENDING' },
    ...{ parameters: {}, figures: new Map(), startTime: 1_000_000, endTime: undefined },
  };
  const own = await writeTensorBoard(folder.path, run);
  await writeFile(join(own, 'events.out.tfevents.1.elsewhere'), '');
  await writeTensorBoard(folder.path, { ...run, state: 'RUNNING', startTime: 2_000_000 });
  expect((await readdir(own)).sort()).toEqual([
    'events.out.tfevents.1.elsewhere',
    'events.out.tfevents.2000.glocal',
  ]);
});

it('has a folder for each trial that says its study once', () => {
  const trial = 'studies/01abcdefgh/trials/0';
  expect(folderName({ name: 'a name', trial })).toBe('a_name_cdefgh_0');
  expect(folderName({ name: '01abcdefgh', trial })).toBe('01abcdefgh_0');
  expect(folderName({ name: '01abcdefgh, trial 0', trial })).toBe('01abcdefgh_0');
});
