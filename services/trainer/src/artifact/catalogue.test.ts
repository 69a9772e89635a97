import { Study } from '@glocal/proto/glocal/v1/study';
import { Artifact, Role } from '@glocal/proto/glocal/v1/study_service';
import { describe, expect, it } from 'vitest';
import type { Catalogue } from '../study/catalogue.ts';
import { artifactsOf, withArtifacts } from './catalogue.ts';
import type { ArtifactDescription } from './description.ts';

const DATASET: ArtifactDescription = {
  kind: 'dataset',
  info: { description: 'pets', trainExamples: 4, testExamples: 2, classes: 2, inputShape: [2] },
  classSizes: [1, 3],
};
const MODEL: ArtifactDescription = {
  kind: 'model',
  description: 'a network',
  weights: 6,
  takes: { inputShape: [2], classes: 2 },
  parameters: [{ name: 'dense/kernel', shape: [3, 2] }],
};
const EMPTY: Catalogue = {
  datasets: [],
  classSizes: new Map(),
  brokenDatasets: new Map(),
  models: [],
  optimizers: [],
  lossHyperparameters: [],
};
const store = {
  getArtifact: async (name: string) => ({
    artifact: Artifact.fromPartial({ name, owner: 'ann' }),
    description: JSON.stringify(name === 'artifacts/data' ? DATASET : MODEL),
  }),
};
const study = Study.fromPartial({ problem: { dataset: 'artifacts/data', model: 'artifacts/net' } });

describe('the catalogue of a study', () => {
  it('has the artifacts that it names, of its owner', async () => {
    const { datasets, classSizes, models } = await withArtifacts(EMPTY, study, store, {
      owner: 'ann',
      role: Role.WRITE,
    });
    const [dataset] = datasets;
    expect(dataset).toMatchObject({ id: 'artifacts/data', trainExamples: 4 });
    expect(classSizes.get('artifacts/data')).toEqual([1, 3]);
    const [model] = models;
    expect(model?.info).toEqual({ id: 'artifacts/net', description: 'a network', parameters: 6 });
    expect(dataset && model?.rejects(dataset)).toBeUndefined();
    expect(dataset && model?.rejects({ ...dataset, classes: 3 })).toMatch(/it tells 2 classes apart, not 3/);
    expect(dataset && model?.size(dataset)).toEqual({ layers: 1, weights: 6 });
  });

  it('has none of somebody else, but for an admin', async () => {
    const bob = await withArtifacts(EMPTY, study, store, { owner: 'bob', role: Role.WRITE });
    expect(bob).toEqual(EMPTY);
    const admin = await withArtifacts(EMPTY, study, store, { owner: 'bob', role: Role.ADMIN });
    expect(admin.datasets).toHaveLength(1);
  });

  it('has those that are only among its choices, too', () => {
    const values = ['mlp', 'artifacts/net'];
    const kind = { $case: 'categorical' as const, value: { values } };
    const choosing = Study.fromPartial({
      problem: { dataset: 'artifacts/data' },
      space: { parameters: [{ name: 'model', kind }] },
    });
    expect(artifactsOf(choosing)).toEqual(['artifacts/data', 'artifacts/net']);
  });
});
