import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrialState } from '@glocal/proto/glocal/v1/study';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ArtifactRoot } from '../artifact/folder.ts';
import { CheckpointRoot } from '../checkpoint/kept.ts';
import { ObjectStoreError } from '../objects/errors.ts';
import { FolderObjects } from '../objects/folder.ts';
import { keepSweeping, sweep } from './sweep.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-sweep-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** A store that knows one trial, which is RUNNING or has SUCCEEDED, and one artifact. */
function parts(state: TrialState = TrialState.RUNNING) {
  const checkpoints = new FolderObjects(join(folder, 'checkpoints'));
  const artifacts = new FolderObjects(join(folder, 'artifacts'));
  const lines: string[] = [];
  const known = { name: 'studies/known/trials/0', state };
  return {
    ...{ objects: { checkpoints, artifacts }, lines },
    store: {
      getTrial: async (name: string) => (name === known.name ? (known as never) : undefined),
      getArtifact: async (name: string) => (name === 'artifacts/known' ? ({} as never) : undefined),
    },
    checkpoints: new CheckpointRoot(checkpoints),
    artifacts: new ArtifactRoot(join(folder, 'cache'), artifacts),
    log: pino({}, { write: (line) => void lines.push(line) }),
  };
}

/** Puts what is known and what is not; of the latter some is so old. */
async function fill({ objects: { checkpoints, artifacts } }: ReturnType<typeof parts>): Promise<void> {
  for (const study of ['known', 'new', 'old']) await checkpoints.put(`${study}/0/1.1.ckpt`, Buffer.of(1));
  for (const id of ['known', 'new', 'old']) await artifacts.put(`${id}/00`, Buffer.of(1));
  const longAgo = new Date(Date.now() - 61 * 60_000);
  for (const path of ['checkpoints/old/0/1.1.ckpt', 'artifacts/old/00', 'artifacts/known/00']) {
    utimesSync(join(folder, path), longAgo, longAgo);
  }
}

const left = () =>
  Object.fromEntries(
    ['checkpoints', 'artifacts'].map((what) => [what, readdirSync(join(folder, what)).sort()]),
  );

describe('a sweep', () => {
  it('removes what nobody knows for an hour, and leaves what another server may be about to store', async () => {
    const all = parts();
    await fill(all);
    await sweep(all);
    expect(left()).toEqual({ checkpoints: ['known', 'new'], artifacts: ['known', 'new'] });
    expect(all.lines).toEqual([]);
  });

  it('removes checkpoints of trials that have ended at once', async () => {
    const all = parts(TrialState.SUCCEEDED);
    await fill(all);
    await sweep(all);
    expect(left().checkpoints).toEqual(['new']);
  });

  it('removes all that nobody knows where nobody else uses the store', async () => {
    const all = parts();
    await fill(all);
    await sweep(all, -1_000);
    expect(left()).toEqual({ checkpoints: ['known'], artifacts: ['known'] });
  });

  it('that cannot look says so, and the next one does', async () => {
    vi.useFakeTimers({ now: Date.now() });
    const all = parts();
    await fill(all);
    const away = () => {
      throw new ObjectStoreError('away', 'the object store (--objects) is away');
    };
    const lists = Object.values(all.objects).map((store) =>
      vi.spyOn(store, 'list').mockImplementationOnce(away),
    );
    using _ = keepSweeping(all);
    await vi.waitFor(() => expect(all.lines).toHaveLength(2));
    expect(all.lines.join()).toContain('(--objects) is away');
    expect(left().checkpoints).toContain('old');
    await vi.advanceTimersByTimeAsync(60 * 60_000);
    await vi.waitFor(() => expect(left().checkpoints).not.toContain('old'));
    await vi.waitFor(() => expect(left().artifacts).not.toContain('old'));
    expect(lists.map(({ mock }) => mock.calls.length)).toEqual([2, 2]);
  });
});
