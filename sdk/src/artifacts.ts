/** Models and data sets of one's own on a server: `client.artifacts`. */

import * as proto from '@glocal/proto/glocal/v1/study_service';
import { type ArtifactSource, filesOf, kindOf, uploadOf } from './artifact-files.ts';
import { artifactSource, callOptions, listOptions, resourceName, uploadOptions } from './check/calls.ts';
import { check } from './check/rule.ts';
import { type ArtifactKind, artifactKindName } from './enums.ts';
import { withFields } from './error.ts';
import type { CallOptions } from './options.ts';
import { type ListOptions, pages } from './pages.ts';
import { plainNumbers } from './plain-numbers.ts';
import type { Transport } from './transport.ts';

const { StudyServiceService } = proto;

/** A file of an artifact. */
export interface ArtifactFile {
  /** Its name, without folders. */
  readonly path: string;
  /** Its size in bytes. */
  readonly size: number;
  /** SHA-256 of its content in lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** An uploaded model or data set. A study names it in `problem.model` or `problem.dataset`. */
export interface Artifact {
  /** `artifacts/{artifact}` */
  readonly name: string;
  readonly kind: ArtifactKind;
  /** For people. */
  readonly displayName: string;
  readonly files: readonly ArtifactFile[];
  /** Bytes of them all. */
  readonly size: number;
  /** Who uploaded it; empty where the server does not ask who its callers are. */
  readonly owner: string;
  readonly createTime: Date;
}

/** Options of `artifacts.upload()`. */
export interface UploadOptions extends CallOptions {
  /** @default `model` with a file `model.json`, `dataset` with a file `dataset.json` */
  readonly kind?: ArtifactKind | undefined;
  /** For people; at most 200 characters. @default empty */
  readonly displayName?: string | undefined;
  /** For all of the upload. @default no limit */
  readonly timeout?: number | undefined;
}

/** Models and data sets on a server. */
export class Artifacts {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Uploads a model (`model.json` with its shards, as TensorFlow.js saves a LayersModel) or a data set (`dataset.json` with
   * the files that it names). Nothing is kept unless the whole arrives; the same content again gives the artifact of then.
   * @param source a folder, whose files are taken, without hidden ones and without folders in it; or the files
   * @throws GlocalError INVALID_ARGUMENT, reason NOT_READABLE, naming a file that cannot be read
   */
  async upload(
    source: string | readonly (string | ArtifactSource)[],
    options: UploadOptions = {},
  ): Promise<Artifact> {
    check([artifactSource, source, 'source'], [uploadOptions, options, 'options']);
    const { kind, displayName = '', ...call } = options;
    const files = await filesOf(source, call.signal);
    const header = { kind: kindOf(kind, files), displayName };
    const requests = uploadOf(header, files);
    const artifact = await this.#transport
      .clientStream(StudyServiceService.uploadArtifact, requests, call)
      .catch(asGiven);
    return decodeArtifact(artifact);
  }

  /** An artifact by its name, `artifacts/{artifact}`. @throws GlocalError NOT_FOUND */
  async get(name: string, options?: CallOptions): Promise<Artifact> {
    check([resourceName, name, 'name'], [callOptions, options, 'options']);
    return decodeArtifact(await this.#transport.unary(StudyServiceService.getArtifact, { name }, options));
  }

  /** Artifacts, newest first. */
  async *list(options: ListOptions = {}): AsyncGenerator<Artifact, void, undefined> {
    check([listOptions, options, 'options']);
    const { pageSize = 0, ...call } = options;
    yield* pages(async (pageToken) => {
      const request = { pageSize, pageToken };
      const { artifacts, nextPageToken } = await this.#transport.unary(
        StudyServiceService.listArtifacts,
        request,
        call,
      );
      return { items: artifacts.map(decodeArtifact), nextPageToken };
    });
  }

  /**
   * Deletes an artifact. Deleting it again changes nothing.
   * @throws GlocalError FAILED_PRECONDITION when a study that is ACTIVE or PAUSED names it
   */
  async delete(name: string, options?: CallOptions): Promise<void> {
    check([resourceName, name, 'name'], [callOptions, options, 'options']);
    await this.#transport.unary(StudyServiceService.deleteArtifact, { name }, options);
  }
}

/** What the server has against an upload, with the fields as they are called here. */
function asGiven(error: unknown): never {
  throw withFields(error, (field) => field.replace(/^header\./, '').replace(/^file(?=$|\.)/, 'source'));
}

const decodeArtifact = (artifact: proto.Artifact): Artifact => ({
  ...plainNumbers(artifact),
  kind: artifactKindName(artifact.kind),
  files: artifact.files.map(plainNumbers),
  createTime: artifact.createTime ?? new Date(0),
});
