/** Whatever a specification may say, for tests of properties. */

import fc from 'fast-check';
import { categorical, type Parameter, type ParameterMap, space } from '../space.ts';
import type { StudySpec } from '../spec.ts';

/** JSON has no -0. */
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value || 0);
const whole = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const uint32 = fc.nat({ max: 2 ** 32 - 1 });
/** Any but half characters, which nothing can carry. */
const text = fc.string({ unit: 'binary' });
const starts = fc.oneof(finite, fc.array(finite, { minLength: 1, maxLength: 3 }));
const scale = fc.constantFrom('log', 'logit', 'linear', undefined);
const grouping = fc.constantFrom('layer', 'class');

/** The contract's words for fields of a problem are refused as names. */
const parameterName = text.filter((name) => !name.includes('_'));

/** An object with some of these. */
const some = <T>(fields: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) =>
  fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

const bounds = { min: finite, max: finite, init: starts, scale };
const kind = <Name extends string>(name: Name) => fc.constant(name);

const { parameters } = fc.letrec<{ parameter: Parameter; parameters: ParameterMap }>((tie) => ({
  parameter: fc.oneof(
    { depthSize: 'small' },
    fc.record({ kind: kind('float'), ...bounds }),
    fc.record({ kind: kind('vector'), ...bounds, per: grouping }),
    fc.record({ kind: kind('vector'), ...bounds, size: whole }),
    fc.record({ kind: kind('network'), hiddenUnits: whole, detached: fc.boolean() }),
    fc.record({ kind: kind('fixed'), value: finite }),
    fc.record({ kind: kind('fixed'), value: fc.array(finite, { minLength: 1 }), per: grouping }),
    fc.record({ kind: kind('scheduled'), points: fc.array(fc.record({ step: whole, value: finite })) }),
    fc.record({
      kind: kind('scheduled'),
      points: fc.array(fc.record({ step: whole, value: fc.array(finite, { minLength: 1 }) })),
      per: grouping,
    }),
    fc.record({
      kind: kind('scheduled'),
      cosine: fc.record({ peak: finite, final: finite, warmupSteps: whole }),
    }),
    fc.record({ kind: kind('scheduled'), cooldown: fc.record({ value: finite, cooldownSteps: whole }) }),
    fc.record({ kind: kind('scheduled'), replay: fc.record({ trial: text, parameter: text }) }),
    fc.record({ kind: kind('int'), min: whole, max: whole, step: whole }),
    fc.record({ kind: kind('bool') }),
    fc.record({ kind: kind('discrete'), values: fc.array(finite) }),
    fc.record({ kind: kind('categorical'), values: fc.array(text) }),
    fc.dictionary(text, tie('parameters'), { minKeys: 1, maxKeys: 3 }).map(categorical),
  ) as fc.Arbitrary<Parameter>,
  parameters: fc.dictionary(parameterName, tie('parameter'), { maxKeys: 4 }) as fc.Arbitrary<ParameterMap>,
}));

export const someSpace = parameters.map(space);

const anything = fc.jsonValue({ noUnicodeString: false }).map((value) => JSON.parse(JSON.stringify(value)));

/** Specifications that the rules of `check/` accept. */
export const someSpec = fc.record(
  {
    displayName: text,
    labels: fc.dictionary(text, text),
    space: someSpace,
    problem: fc
      .tuple(
        fc.record({ dataset: text, model: text, optimizer: text }),
        some({
          batchSize: whole,
          standardize: fc.boolean(),
          augmentation: some({ cropPadding: whole, horizontalFlip: fc.boolean() }),
          // An empty one is none.
          module: text.filter((id) => id !== ''),
          options: fc.dictionary(text, anything),
        }),
      )
      .map(([names, others]) => ({ ...names, ...others })),
    training: fc.record({ steps: whole, seeds: fc.array(uint32) }, { requiredKeys: ['steps'] }),
    method: fc
      .tuple(
        fc.record({ estimator: fc.constantFrom('fixed', 'glocal') }),
        some({
          window: whole,
          averaging: finite,
          validationSeed: uint32,
          overhead: fc.oneof(finite, fc.constant('exact')),
          dmd: some({ variant: fc.constantFrom('hankel', 'affine'), svdRank: finite }),
          outer: some({ rate: finite, normalize: fc.boolean() }),
        }),
      )
      .map(([estimator, others]) => ({ ...estimator, ...others })),
    sampling: some({ method: fc.constantFrom('grid', 'sobol'), points: whole, seed: uint32 }),
    mode: fc.constantFrom('managed', 'driven'),
    decisionTimeout: whole,
    priority: whole,
  },
  { requiredKeys: ['space', 'problem', 'training', 'method'] },
) as fc.Arbitrary<StudySpec>;
