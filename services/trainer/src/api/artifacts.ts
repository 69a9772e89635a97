/** Methods of StudyService for artifacts: models and data sets that callers upload. */

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type {
  Artifact,
  ArtifactFile,
  Limits,
  StudyServiceService,
} from '@glocal/proto/glocal/v1/study_service';
import type { Logger } from 'pino';
import type { ArtifactRoot } from '../artifact/folder.ts';
import { asUnavailable, type Received, receive } from '../artifact/receive.ts';
import { ArtifactRoom } from '../artifact/room.ts';
import { listedOwner } from '../resource/caller.ts';
import { FieldError, NotFoundError } from '../resource/errors.ts';
import { newId } from '../resource/ids.ts';
import { artifactName, parseArtifactName } from '../resource/names.ts';
import type { Store } from '../store/store.ts';
import { describeInProcess, RefusedError } from '../worker/describe.ts';
import type { Methods } from './handlers.ts';
import { unlessIdle } from './idle.ts';
import { MAX_PAGE_BYTES, PageTokens, pageSize, wrongPageToken } from './pages.ts';

export interface ArtifactParts {
  readonly store: Store;
  readonly artifacts: ArtifactRoot;
  readonly info: { readonly limits: Pick<Limits, 'maxArtifactBytes' | 'maxOwnerArtifactBytes'> };
  /** That an upload may say nothing: it keeps others out. */
  readonly uploadIdleSeconds: number;
  readonly log: Logger;
}

type ArtifactMethods = Pick<
  Methods<typeof StudyServiceService>,
  'uploadArtifact' | 'getArtifact' | 'listArtifacts' | 'deleteArtifact'
>;

export function artifactMethods(parts: ArtifactParts): ArtifactMethods {
  const { store, artifacts, uploadIdleSeconds, log } = parts;
  const room = new ArtifactRoom({ ...parts.info.limits, maxFileBytes: artifacts.maxFileBytes }, (owner) =>
    store.artifactBytes(owner),
  );

  const hasBeen = async (name: string): Promise<boolean> =>
    (await store.getArtifact(name)) !== undefined || (await store.deletedArtifactOwner(name)) !== undefined;

  /** What cannot be removed now is removed when the server starts next, or looks for what nobody knows. */
  const notRemoved = (error: unknown) =>
    log.warn({ err: error }, 'files of an artifact could not be removed');
  const discard = (folder: string) => rm(folder, { recursive: true, force: true }).catch(notRemoved);
  const remove = (name: string) => artifacts.remove(name).catch(notRemoved);

  return {
    uploadArtifact: async (requests, { caller: { owner }, signal }) => {
      using place = room.enter(owner);
      const folder = await artifacts.begin().catch((error) => Promise.reject(asUnavailable(error)));
      const name = artifactName(newId().toLowerCase());
      try {
        const received = await receive(unlessIdle(requests, uploadIdleSeconds, 'the upload'), folder, place);
        const description = await describeInProcess(
          { what: 'artifact', kind: received.header.kind, folder },
          signal,
        ).catch((error: unknown) => {
          throw error instanceof RefusedError ? FieldError.of('ARTIFACT', 'file', error.message) : error;
        });
        const artifact = newArtifact(name, owner, received);
        await artifacts.publish(folder, name, received.files);
        const stored = await store.createArtifact({
          artifact,
          digest: digestOf(received),
          description: JSON.stringify(description),
        });
        if (!stored.created) await remove(name);
        return stored.artifact;
      } catch (error) {
        await discard(folder);
        // A store that fails may have written the record; without one, the files go when the server starts next.
        const isStored = await store.getArtifact(name).then(Boolean, () => true);
        if (!isStored) await remove(name);
        throw asUnavailable(error);
      }
    },

    getArtifact: async ({ name }) => {
      parseArtifactName(name, 'name');
      const stored = await store.getArtifact(name);
      if (stored === undefined) throw new NotFoundError(name);
      return stored.artifact;
    },

    listArtifacts: async (request, { caller }) => {
      const limit = pageSize(request.pageSize);
      const owner = listedOwner(caller);
      const tokens = new PageTokens('artifacts', owner);
      const after = tokens.parse(request.pageToken);
      if (after !== undefined && !(await hasBeen(after))) throw wrongPageToken();
      const page = { owner, after, limit, maxBytes: MAX_PAGE_BYTES };
      const { records, more } = await store.listArtifacts(page);
      return { artifacts: records, nextPageToken: tokens.make(more ? records.at(-1)?.name : undefined) };
    },

    deleteArtifact: async ({ name }) => {
      parseArtifactName(name, 'name');
      if (!(await hasBeen(name))) throw new NotFoundError(name);
      await store.deleteArtifact(name);
      await remove(name);
      return {};
    },
  };
}

function newArtifact(name: string, owner: string, { header, files }: Received): Artifact {
  const { kind, displayName } = header;
  const size = files.reduce((sum, file) => sum + file.size, 0n);
  return { name, kind, displayName, files: [...files], size, owner, createTime: new Date() };
}

/** Equal for the same files of the same kind, in whichever order they came. */
function digestOf({ header, files }: Received): Uint8Array {
  const line = ({ path, size, sha256 }: ArtifactFile) => JSON.stringify([path, String(size), sha256]);
  const hash = createHash('sha256').update(String(header.kind));
  for (const text of files.map(line).sort()) hash.update(`\n${text}`);
  return hash.digest();
}
