/** Uploads of artifacts. */

import { createHash } from 'node:crypto';
import type { ArtifactKind, UploadArtifactRequest } from '@glocal/proto/glocal/v1/study_service';

/** By their paths. */
export type Files = Readonly<Record<string, Uint8Array>>;

const CHUNK = 1_000;

/** A small data set. @param description what makes it another one. */
export const catFiles = (description = ''): Files => ({
  'dataset.json': Buffer.from(
    JSON.stringify({
      ...{ description, format: 'csv', classes: ['cat', 'dog'] },
      ...{ label: 'species', train: 'cats.csv', testFraction: 0.5 },
    }),
  ),
  'cats.csv': Buffer.from('weight,species\n1,cat\n2,dog\n3,cat\n4,dog\n'),
});

/**
 * Requests of UploadArtifact.
 * @param size said of the first file, in place of its own.
 */
export function uploadRequests(kind: ArtifactKind, files: Files, size?: bigint): UploadArtifactRequest[] {
  const all: UploadArtifactRequest[] = [
    { request: { $case: 'header', value: { kind, displayName: 'mine' } } },
  ];
  for (const [i, [path, content]] of Object.entries(files).entries()) {
    const said = i === 0 && size !== undefined ? size : BigInt(content.length);
    all.push({ request: { $case: 'file', value: { path, size: said, sha256: sha256(content) } } });
    for (let at = 0; at < content.length; at += CHUNK) {
      all.push({ request: { $case: 'chunk', value: Buffer.from(content.subarray(at, at + CHUNK)) } });
    }
  }
  return all;
}

/** Requests of UploadArtifact for the small data set, as a client that has only the .proto files sends them. */
export const CATS: Readonly<Record<string, unknown>>[] = [
  { header: { kind: 'ARTIFACT_KIND_DATASET', display_name: 'cats' } },
  ...Object.entries(catFiles()).flatMap(([path, content]) => [
    { file: { path, size: content.length, sha256: sha256(content) } },
    { chunk: content },
  ]),
];

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
