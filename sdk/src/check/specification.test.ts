import { Study } from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlocalError } from '../error.ts';
import { discrete, fixed, float, space, vector } from '../space.ts';
import type { StudySpec } from '../spec.ts';
import { encodeSpec } from '../spec-codec.ts';
import { everything } from '../testing/specifications.ts';
import { check } from './rule.ts';
import { specification } from './specification.ts';

function violations(spec: unknown): Record<string, string> {
  try {
    check([specification, spec, 'spec']);
    return {};
  } catch (error) {
    expect(error).toBeInstanceOf(GlocalError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'NOT_ENCODABLE', requestId: undefined });
    return Object.fromEntries(
      (error as GlocalError).fieldViolations.map(({ field, description }) => [field, description]),
    );
  }
}

type Path = readonly (string | number)[];

/** Every property within a value, however deep, that is not an object itself. */
function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

const fields: Path[] = leaves(everything).filter((path) => path.at(-1) !== 'kind');

/** As errors name it. */
const named = (path: Path): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .replace('.space.parameters', '.space')
    .replace('.children', '')
    .slice(1);

/** A copy of `everything` in which one object is another. */
function changed(
  path: Path,
  change: (parent: Record<string | number, unknown>, key: string | number) => void,
) {
  const copy = structuredClone(everything);
  let parent = copy as unknown as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) parent = parent[key] as typeof parent;
  change(parent, path.at(-1) ?? '');
  return copy as StudySpec;
}

const bytes = (spec: StudySpec) => Study.encode(encodeSpec(spec)).finish();

describe('a specification', () => {
  it('is right with everything, with the least, and as the server returned it', () => {
    expect(violations(everything)).toEqual({});
    const { space, problem, training } = everything;
    const { dataset, model, optimizer } = problem;
    const least = { space, problem: { dataset, model, optimizer }, training: { steps: training.steps } };
    expect(violations({ ...least, method: { estimator: 'glocal' } })).toEqual({});
    const server = { name: 'studies/1', state: 'ACTIVE', stateReason: '', createTime: 0, updateTime: 0 };
    expect(violations({ ...everything, ...server })).toEqual({});
  });

  it.each(fields.map((path) => [named(path), path] as const))('names %s', (field, path) => {
    for (const wrong of [1n, Symbol('s'), null, {}, Number.NaN, () => 1, '\ud800']) {
      const set = changed(path, (parent, key) => {
        parent[key] = wrong;
      });
      expect(Object.keys(violations(set)), String(wrong)).toEqual([field]);
    }
    // A label has any key.
    if (path[0] === 'labels') return;
    const misspelt = changed(path, (parent, key) => {
      if (typeof key === 'string') parent[`${key}_`] = parent[key];
      else parent[key] = undefined;
    });
    expect(Object.keys(violations(misspelt))).toEqual([
      typeof path.at(-1) === 'string' ? `${field}_` : field,
    ]);
  });

  it.each(fields.map((path) => [named(path), path] as const))('is sent with %s', (_field, path) => {
    const without = changed(path, (parent, key) => {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
    });
    expect(bytes(without)).not.toEqual(bytes(everything));
  });

  it('names all that is wrong at once', () => {
    const wrong = {
      ...everything,
      space: {
        parameters: {
          lr: { kind: 'float', min: 0, max: 1, init: 0.5, scale: 'cubic' },
          momentum: { kind: 'float', min: 0, max: 1, initial: 0.5 },
          weightDecay: { kind: 'fixed', value: undefined },
          rates: {
            kind: 'scheduled',
            points: [
              { step: 0, value: [] },
              { step: 1, values: [1] },
            ],
            per: 'head',
          },
          decays: { kind: 'scheduled', cosine: { peak: 1 }, per: 'layer' },
          l2: 0.1,
        },
      },
      problem: { ...everything.problem, batchSize: 12.5, validationExamples: 0 },
      training: { steps: Number.NaN, seeds: [0, -1] },
      method: {
        estimator: 'Glocal',
        window: 2 ** 31,
        outerRate: 1,
        dmd: { delays: 1.5 },
        outer: { lr: 0.1 },
      },
      colour: 'red',
    };
    expect(violations(wrong)).toEqual({
      colour:
        'is unknown; the keys are displayName, labels, priority, space, problem, training, method, sampling, mode, decisionTimeout',
      'space.lr.scale': '"cubic" is unknown; one of logit, log, linear',
      'space.momentum.init': 'is missing; give a finite number, or an array of them',
      'space.momentum.initial': 'is unknown; did you mean init?',
      'space.weightDecay.value': 'is missing; give a finite number, or an array of them',
      'space.rates.points[0].value': 'has no value',
      'space.rates.points[1].value': 'is missing; give a finite number, or an array of them',
      'space.rates.points[1].values': 'is unknown; did you mean value?',
      'space.rates.per': '"head" is unknown; one of layer, class',
      'space.decays': 'has no schedule; give one of points, cosine, cooldown, replay',
      'space.l2':
        'is not a hyperparameter; the kinds are float, vector, network, fixed, scheduled, int, bool, categorical, discrete',
      'problem.batchSize': '12.5 is not a whole number within ±2147483647',
      'problem.validationExamples': '0 is not possible; leave it out for the default',
      'training.steps': 'NaN is not a whole number within ±2147483647',
      'training.seeds[1]': '-1 is not a whole number from 0 to 4294967295',
      'method.estimator': '"Glocal" is unknown; one of fixed, local, mean, median, glocal, global',
      'method.window': '2147483648 is not a whole number within ±2147483647',
      'method.outerRate': 'is unknown; did you mean outer?',
      'method.dmd.delays': '1.5 is not a whole number from 0 to 4294967295',
      'method.outer.lr': 'is unknown; did you mean rate?',
    });
  });

  it.each([
    ['spec', undefined, 'is missing; give an object'],
    ['problem', { ...everything, problem: null }, 'null is not an object'],
    ['space', { ...everything, space: null }, 'is not a search space; it has hyperparameters by name'],
    ['space', { ...everything, space: { lr: fixed(1) } }, 'is not a search space; make it with space({ … })'],
  ])('names %s when it is not there at all', (field, spec, description) => {
    expect(violations(spec)).toEqual({ [field]: description });
  });

  it.each([
    ['batch_size', 'problem', 'batchSize'],
    ['batchsize', 'problem', 'batchSize'],
    ['bacthSize', 'problem', 'batchSize'],
    ['svd_rank', 'dmd', 'svdRank'],
    ['evaluationPoint', 'method', 'evaluation'],
  ])('suggests what %s may stand for', (key, part, meant) => {
    const { method, problem } = everything;
    const spec = {
      ...everything,
      problem: { ...problem, ...(part === 'problem' && { [key]: 1 }) },
      method: {
        ...method,
        ...(part === 'method' && { [key]: 1 }),
        dmd: { ...method.dmd, ...(part === 'dmd' && { [key]: 1 }) },
      },
    };
    expect(Object.values(violations(spec))).toEqual([`is unknown; did you mean ${meant}?`]);
  });

  it("names what the space's own functions were given", () => {
    const wrong = {
      ...everything,
      // What plain JavaScript lets through.
      space: space({
        lr: float({ min: 0, max: 1 } as never),
        momentum: vector({ min: 0, max: 1, init: 1, grouping: 'layer' } as never),
        weightDecay: (fixed as () => never)(),
      }),
    };
    expect(violations(wrong)).toEqual({
      'space.lr.init': 'is missing; give a finite number, or an array of them',
      'space.momentum.grouping': 'is unknown; did you mean per?',
      'space.momentum.per': 'is missing; one of layer, class',
      'space.weightDecay.value': 'is missing; give a finite number, or an array of them',
    });
  });

  it('needs no name of a model in the problem where trials choose it, and no problem where a client trains', () => {
    const { problem, space: searched, ...rest } = everything;
    const { model, module, ...others } = problem;
    expect(violations({ ...rest, space: searched, problem: others })).toEqual({});
    expect(violations({ ...rest, space: searched, problem: { module, optimizer: 'sgd' } })).toEqual({});
    const plain = space({ lr: searched.parameters.lr });
    expect(violations({ ...rest, space: plain, problem: others })).toEqual({
      'problem.model': 'is missing; give a string',
    });
    expect(violations({ ...rest, space: plain, mode: 'external' })).toEqual({});
    // As they come back from the server.
    const none = { ...others, dataset: '', model: '', optimizer: '', batchSize: 0, validationExamples: 0 };
    expect(violations({ ...rest, space: plain, mode: 'external', problem: none })).toEqual({});
    const chosen = space({ lr: searched.parameters.lr, batchSize: discrete([1, 2]) });
    expect(violations({ ...rest, space: chosen, problem: { ...problem, batchSize: 0 } })).toEqual({});
    expect(Object.keys(violations({ ...rest, space: plain, mode: 'managed' }))).toEqual(['problem']);
  });

  it('names what is one of two, and what is called otherwise in a problem', () => {
    const bounds = { min: 0, max: 1 };
    const wrong = space({
      a: vector({ ...bounds, init: 0.5, per: 'class', size: 2 } as never),
      b: vector({ ...bounds, init: 0.5, size: 0 }),
      c: float({ ...bounds, init: [] }),
      batch_size: discrete([64, 128]),
    });
    expect(violations({ ...everything, space: wrong })).toEqual({
      'space.a.per': 'is unknown; the keys are kind, min, max, init, scale, size',
      'space.b.size': '0 is not a whole number from 1 to 2147483647',
      'space.c.init': 'has no value',
      'space.batch_size': 'is called batchSize here',
    });
  });

  it.each([new Map([['rate', 1]]), new Date(), new Set(), /x/, new Float64Array(2), Promise.resolve()])(
    'names %o where an object of its own belongs',
    (value) => {
      const kind = Object.prototype.toString.call(value).slice(8, -1);
      const spec = { ...everything, method: { ...everything.method, outer: value } };
      expect(violations(spec)).toEqual({ 'method.outer': `a ${kind} is not an object` });
    },
  );

  it('says so when it cannot even be read', () => {
    const thrower = {
      get problem() {
        throw new Error('no');
      },
    };
    expect(violations(thrower)).toMatchObject({ spec: 'cannot be read; a property of it throws' });
  });
});

describe('whatever is given as a specification', () => {
  const junk = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSparseArray: true,
    withTypedArray: true,
    withNullPrototype: true,
    withUnicodeString: true,
  });

  it('is refused with a GlocalError', () => {
    fc.assert(
      fc.property(junk, (spec) => {
        expect(violations(spec)).not.toEqual({});
      }),
    );
  });

  it('is refused in any of its fields, or sent', () => {
    const place = fc.constantFrom(...fields.flatMap((path) => path.map((_, i) => path.slice(0, i + 1))));
    fc.assert(
      fc.property(place, junk, (path, value) => {
        const spec = changed(path, (parent, key) => {
          parent[key] = value;
        });
        if (Object.keys(violations(spec)).length === 0) expect(Study.decode(bytes(spec))).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
});
