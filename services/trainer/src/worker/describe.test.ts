import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtifactKind } from '@glocal/proto/glocal/v1/study_service';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInProcess, RefusedError } from './describe.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-describe-'));
  writeFileSync(join(folder, 'dataset.json'), '{}');
});
afterAll(() => rmSync(folder, { recursive: true }));

const asked = (signal = new AbortController().signal, limitMs?: number) =>
  describeInProcess({ what: 'artifact', kind: ArtifactKind.DATASET, folder }, signal, limitMs);

it('what cannot be used is refused without the path of the server', async () => {
  const error = await asked().catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(RefusedError);
  expect((error as Error).message).toMatch(/^dataset\.json is invalid/);
});

it('what takes too long to load is refused', async () => {
  await expect(asked(undefined, 1)).rejects.toThrow('it cannot be loaded: took more than 0.001 seconds');
});

it('nothing is loaded any longer for a caller that has gone', async () => {
  const gone = new AbortController();
  const answer = asked(gone.signal);
  gone.abort(new Error('the caller has gone'));
  await expect(answer).rejects.toThrow('the caller has gone');
});

it('a module that never comes to its end is refused, and nobody waits for it longer', async () => {
  writeFileSync(join(folder, 'endless.mjs'), 'for (;;);');
  const request = { what: 'module', folder, id: 'endless', options: {}, backend: 'cpu' } as const;
  await expect(describeInProcess(request, new AbortController().signal, 2_000)).rejects.toThrow(
    'it cannot be loaded: took more than 2 seconds',
  );
});

it('a module that imports a torn script is refused with its file and line', async () => {
  mkdirSync(join(folder, 'parts'));
  writeFileSync(join(folder, 'parts', 'index.mjs'), "import './torn.mjs';\n");
  writeFileSync(join(folder, 'parts', 'torn.mjs'), 'const number = 1;\n\nexport default {;\n');
  const request = { what: 'module', folder, id: 'parts', options: {}, backend: 'cpu' } as const;
  await expect(describeInProcess(request, new AbortController().signal)).rejects.toThrow(
    "parts/torn.mjs, line 3: Unexpected token ';'",
  );
});
