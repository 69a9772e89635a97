/** An upload of a small data set, as a client that has only the .proto files sends it. */

import { createHash } from 'node:crypto';

const FILES = {
  'dataset.json': JSON.stringify({
    format: 'csv',
    classes: ['cat', 'dog'],
    label: 'species',
    train: 'cats.csv',
    testFraction: 0.5,
  }),
  'cats.csv': 'weight,species\n1,cat\n2,dog\n3,cat\n4,dog\n',
};

/** Requests of UploadArtifact. */
export const CATS: Readonly<Record<string, unknown>>[] = [
  { header: { kind: 'ARTIFACT_KIND_DATASET', display_name: 'cats' } },
  ...Object.entries(FILES).flatMap(([path, content]) => [
    { file: { path, size: content.length, sha256: createHash('sha256').update(content).digest('hex') } },
    { chunk: Buffer.from(content) },
  ]),
];
