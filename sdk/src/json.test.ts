import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlocalError } from './error.ts';
import { spaceFromJson, spaceToJson, specFromJson, specToJson } from './json.ts';
import { categorical, discrete, fixed, float, int, scheduled, space, vector } from './space.ts';
import { someSpace, someSpec } from './testing/arbitrary.ts';
import { everything } from './testing/specifications.ts';

const least = {
  problem: { dataset: 'd', model: 'm', optimizer: 'sgd' },
  training: { steps: 100 },
  method: { estimator: 'glocal' },
} as const;

function thrown(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

const violations = (json: unknown): Record<string, string> => {
  const error = thrown(() => specFromJson(json));
  expect(error).toBeInstanceOf(GlocalError);
  const { fieldViolations } = error as GlocalError;
  return Object.fromEntries(fieldViolations.map(({ field, description }) => [field, description]));
};

describe('a specification as JSON', () => {
  it('has every field, and comes back as it was', () => {
    expect(specFromJson(JSON.stringify(specToJson(everything)))).toEqual(everything);
  });

  it('comes back as it was, whatever it says', () => {
    fc.assert(
      fc.property(someSpec, (spec) => {
        expect(specFromJson(JSON.stringify(specToJson(spec)))).toEqual(spec);
      }),
    );
  });

  it('leaves out what the server says of a study', () => {
    const study = { ...everything, name: 'studies/1', state: 'ACTIVE', createTime: new Date() };
    expect(specToJson(study)).toEqual(specToJson(everything));
    expect(specFromJson({ ...specToJson(everything), name: 'studies/1', state: 'ACTIVE' })).toEqual(
      everything,
    );
  });

  it('may be short where a parameter can only be one thing', () => {
    const written = {
      lr: { min: 1e-4, max: 1, init: 0.01, scale: 'log' },
      l2: { min: 0, max: 1, init: [0.1, 0.2], per: 'layer' },
      weightDecay: 5e-4,
      momentum: { cosine: { peak: 0.9 } },
      rates: { points: [{ step: 0, value: [0.1, 0.2] }], per: 'layer' },
      optimizer: ['sgd', 'adam'],
      batchSize: [64, 128],
      layers: { kind: 'int', min: 1, max: 3 },
    };
    const meant = space({
      lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
      l2: vector({ min: 0, max: 1, init: [0.1, 0.2], per: 'layer' }),
      weightDecay: fixed(5e-4),
      momentum: scheduled({ cosine: { peak: 0.9 } }),
      rates: scheduled({ points: [{ step: 0, value: [0.1, 0.2] }], per: 'layer' }),
      optimizer: categorical(['sgd', 'adam']),
      batchSize: discrete([64, 128]),
      layers: int({ min: 1, max: 3 }),
    });
    expect(spaceFromJson(written)).toEqual(meant);
    expect(specFromJson({ ...least, space: written }).space).toEqual(meant);
  });

  it('has the parameters of a name behind it', () => {
    const children = { sgd: { momentum: float({ min: 0, max: 1, init: 0.5 }) }, adam: {} };
    const meant = space({ optimizer: categorical(children) });
    const momentum = { min: 0, max: 1, init: 0.5 };
    expect(spaceFromJson({ optimizer: { values: { sgd: { momentum }, adam: null } } })).toEqual(meant);
    expect(spaceToJson(meant)).toEqual({
      optimizer: {
        kind: 'categorical',
        values: { sgd: { momentum: { kind: 'float', ...momentum } }, adam: {} },
      },
    });
    const some = { kind: 'categorical', values: ['sgd', 'adam'], children: { sgd: children.sgd } } as const;
    expect(spaceFromJson(spaceToJson(space({ optimizer: some })))).toEqual(space({ optimizer: some }));
    const wrong = { optimizer: { values: { sgd: { momentum: { ...momentum, init: 'a' } } } } };
    expect(thrown(() => spaceFromJson(wrong))).toMatchObject({
      fieldViolations: [{ field: 'space.optimizer.sgd.momentum.init' }],
    });
  });

  it('names each field that is wrong, and what a key may stand for', () => {
    const { problem, method } = least;
    const json = {
      space: {
        lr: { min: 0, max: 1, initial: 0.1 },
        momentum: { kind: 'flaot', min: 0, max: 1, init: 0.5 },
        decay: { min: 0, max: 1 },
      },
      problem: { ...problem, batchsize: 64 },
      training: { steps: '100' },
      method,
      methods: {},
    };
    expect(violations(json)).toMatchObject({
      'space.lr.initial': 'is unknown; did you mean init?',
      'space.momentum.kind': expect.stringMatching(/^"flaot" is unknown; one of float, vector, /),
      'space.decay': expect.stringContaining('is not a hyperparameter'),
      'problem.batchsize': 'is unknown; did you mean batchSize?',
      'training.steps': '"100" is not a whole number within ±2147483647',
      methods: 'is unknown; did you mean method?',
    });
    expect(Object.keys(violations(null))).toEqual(['spec']);
    expect(Object.keys(violations({ ...least, space: null }))).toEqual(['space']);
  });

  it('leaves out what a study has where nothing was said', () => {
    const study = {
      ...least,
      space: space({ lr: fixed(0.1) }),
      problem: { ...least.problem, module: '', labelNoise: 0 },
      method: { ...least.method, trainings: 0, tangentExamples: 0 },
      sampling: { method: 'grid', points: 0, seed: 0 },
      decisionTimeout: 0,
    } as const;
    const { problem, method, sampling, ...rest } = specToJson(study);
    expect(problem).toEqual({ ...least.problem, labelNoise: 0 });
    expect(method).toEqual({ ...least.method, tangentExamples: 0 });
    expect(sampling).toEqual({ method: 'grid', seed: 0 });
    expect(rest).not.toHaveProperty('decisionTimeout');
    expect(specToJson({ ...study, mode: 'external' } as never)).not.toHaveProperty('problem');
  });

  it('calls what is written by its own name', () => {
    expect(violations({ ...least, space: undefined })).toMatchObject({
      space: 'is not a search space; it has hyperparameters by name',
    });
    expect(violations({ ...least, space: { weightDecay: Number.NaN, l2: 'small' } })).toEqual({
      'space.weightDecay': 'NaN is not a finite number',
      'space.l2': expect.stringMatching(/^is not a hyperparameter; the kinds are float, vector, /),
    });
    expect(violations({ ...least, space: { lr: 1 }, sampling: { method: 'random', points: 0 } })).toEqual({
      'sampling.points': '0 is not possible; leave it out for the default',
    });
    const two = { cosine: { peak: 1 }, points: [] };
    expect(violations({ ...least, space: { lr: two } })).toEqual({
      'space.lr': 'has several schedules, cosine and points; give one of points, cosine, cooldown, replay',
    });
  });

  it('says so when a text is no JSON', () => {
    expect(thrown(() => specFromJson('{"space": '))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      reason: 'NOT_READABLE',
      fieldViolations: [{ field: 'spec', description: expect.stringContaining('JSON') }],
    });
  });
});

describe('a search space as JSON', () => {
  it('comes back as it was, whatever is in it', () => {
    fc.assert(
      fc.property(someSpace, (given) => {
        expect(spaceFromJson(JSON.stringify(spaceToJson(given)))).toEqual(given);
      }),
    );
  });

  it('names what is wrong as a specification does', () => {
    expect(thrown(() => spaceFromJson({ lr: { min: 0, max: 1, init: 'a' } }))).toMatchObject({
      reason: 'NOT_ENCODABLE',
      fieldViolations: [{ field: 'space.lr.init' }],
    });
    expect(thrown(() => spaceToJson({} as never))).toMatchObject({ fieldViolations: [{ field: 'space' }] });
  });
});
