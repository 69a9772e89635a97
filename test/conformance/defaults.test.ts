/**
 * The contract's comments state defaults for people. Here they are compared with what the trainer and the DMD service really
 * do; `test/docs/defaults.test.ts` compares them with what the SDK and the documents say.
 */

import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import {
  Anchor,
  DmdOptions,
  DmdServiceService,
  Scaling,
  Selection,
  Variant,
} from '@glocal/proto/glocal/v1/dmd';
import {
  Estimator,
  IntParameter,
  NetworkParameter,
  Sampling,
  SamplingMethod,
  Study,
} from '@glocal/proto/glocal/v1/study';
import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { DEFAULT_DMD_LIMITS, encodeRows } from '@glocal/trainer/dmd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commentOfZero, messageNamed } from '../support/descriptors.ts';
import type { Channel } from '../support/grpc.ts';
import { type Services, startServices } from '../support/services.ts';
import { MESSAGES, stated, statementFor, valueIn } from '../support/stated-defaults.ts';

let running: Services;
let studies: Channel;
let dmd: Channel;
beforeAll(async () => {
  running = await startServices();
  ({ studies, dmd } = running);
});
afterAll(() => running[Symbol.asyncDispose]());

/** A message of generated code. */
type Message = Readonly<Record<string, unknown>>;

const camelCase = (name: string): string =>
  name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** The value at a path of names of the contract, `training.steps`. */
const at = (message: unknown, path: string): unknown =>
  path.split('.').reduce((value, name) => (value as Message | undefined)?.[camelCase(name)], message);

describe('a study', () => {
  /** What every study must say. */
  const required = Study.fromPartial({
    space: {
      parameters: [
        { name: 'lr', kind: { $case: 'float' as const, value: { min: 0, max: 1, initial: 0.1 } } },
        { name: 'classWeights', kind: { $case: 'float' as const, value: { min: 0, max: 2, initial: 1 } } },
        { name: 'l2', kind: { $case: 'int' as const, value: IntParameter.create({ max: 10 }) } },
        { name: 'reweighting', kind: { $case: 'network' as const, value: NetworkParameter.create() } },
      ],
    },
    problem: { dataset: 'fashion-mnist-10k', model: 'logistic', optimizer: 'sgd' },
    training: { steps: 200 },
    method: { estimator: Estimator.GLOCAL, dmd: {}, outer: {} },
  });
  const methodWith = (method: object) =>
    Study.fromPartial({ ...required, method: { ...required.method, ...method } });
  const withoutWeights = Study.fromPartial({
    ...required,
    space: {
      parameters: required.space?.parameters.filter(
        ({ name }) => name !== 'classWeights' && name !== 'reweighting',
      ),
    },
  } as Study);
  const drawn = (method: SamplingMethod): Study => ({ ...required, sampling: Sampling.create({ method }) });
  const scenarios: Record<string, Study> = {
    'that says what it must': required,
    'of GLOBAL': methodWith({ estimator: Estimator.GLOBAL }),
    'with a stride': methodWith({ stride: 3 }),
    'of HANKEL': methodWith({ dmd: { variant: Variant.HANKEL } }),
    'of HANKEL with a stride': methodWith({ stride: 2, dmd: { variant: Variant.HANKEL } }),
    'of drawn points': drawn(SamplingMethod.RANDOM),
    'of points of a Sobol sequence': drawn(SamplingMethod.SOBOL),
    'of many updates': { ...methodWith({ window: 50 }), training: { steps: 50 * 160, seeds: [] } },
    'with hypergradients as they are': methodWith({ outer: { normalize: false } }),
    exact: methodWith({ cost: { $case: 'exact', value: true } }),
    'that moves no weights of classes or examples': withoutWeights,
    'of many updates that moves no weights': {
      ...withoutWeights,
      ...{ method: methodWith({ window: 50 }).method, training: { steps: 50 * 160, seeds: [] } },
    },
    'with imbalanced classes': Study.fromPartial({
      ...required,
      problem: { ...required.problem, imbalanceFactor: 10 },
    }),
  };
  /** Whether its cost is wished, since it says nothing of it. */
  const isWished = ({ method }: Study): boolean =>
    method?.estimator === Estimator.GLOCAL && !method.window && !method.stride && method.cost === undefined;

  /** Whether a case of a statement holds for a complete study, and for a parameter of it. */
  function holds(
    condition: string,
    { method, training, sampling, problem, space }: Study,
    asked: Study,
    parameter: string | undefined,
  ): boolean {
    switch (condition) {
      case 'in a study':
        return true;
      case 'with GLOBAL':
        return method?.estimator === Estimator.GLOBAL;
      case 'with RANDOM or SOBOL':
        return sampling?.method !== SamplingMethod.GRID;
      case 'with AFFINE':
        return method?.dmd?.variant === Variant.AFFINE;
      case 'with a stride above 1':
        return (method?.stride ?? 0) > 1;
      case 'with class weights':
        return parameter === 'classWeights';
      case 'with more than 40 updates':
        return updatesOf({ method, training }) > 40;
      case 'with `exact`':
        return method?.cost?.$case === 'exact';
      case 'without `normalize`':
        return method?.outer?.normalize === false;
      case 'with a wished cost':
        return isWished(asked);
      case 'with a wished cost and weights of classes or examples that are moved':
        return isWished(asked) && movesWeights(space);
      case 'with weights of classes or examples that are moved':
        return movesWeights(space);
      case 'with imbalanced classes':
        return (problem?.imbalanceFactor ?? 1) > 1;
      case 'with a loss in a unit of its own, that of a module or of a client':
        return false;
      default:
        throw new Error(`no test knows when "${condition}" holds`);
    }
  }

  const movesWeights = (space: Study['space']): boolean =>
    space?.parameters.some(({ name }) => name === 'classWeights' || name === 'reweighting') === true;

  const updatesOf = ({ method, training }: Pick<Study, 'method' | 'training'>): number =>
    method?.trainings || (training?.steps ?? 0) / (method?.window ?? 1);

  /** Values that are said in words. */
  const WORDS: Record<string, (study: Study) => unknown> = {
    'one tenth of the training part': () => 1_000,
    'what the data set says': () => undefined,
    // That of each trial.
    'the batch': () => undefined,
    'as many as span 20 inner steps': ({ method }) => Math.floor(19 / (method?.stride ?? 1)) + 1,
    '0.6 x the square root of 40 / their number': (study) => 0.6 * Math.sqrt(40 / updatesOf(study)),
    'half of that': (study) => 0.3 * Math.min(1, Math.sqrt(40 / updatesOf(study))),
    'at most 500': () => 500,
    '0.95, or 0.9 where an optimizer divides its steps by the root mean square of gradients': () => 0.95,
  };
  /** What is chosen by predicted cost. */
  const CHOSEN = 'what that pays';

  function meant(text: string, field: DescField, parent: Message, study: Study): unknown {
    const words = WORDS[text];
    if (words !== undefined) return words(study);
    if (text.startsWith('`')) return at(parent, text.slice(1, -1)) ?? at(study, text.slice(1, -1));
    if (field.enum === undefined) return JSON.parse(text);
    return field.enum.values.find(({ localName }) => localName === text)?.number;
  }

  /** The messages of a study with their descriptors; of a parameter with its name. */
  function* parts(
    message: Message,
    descriptor: DescMessage,
    parameter?: string,
  ): Generator<[Message, DescMessage, string | undefined]> {
    yield [message, descriptor, parameter];
    const name = descriptor.name === 'Parameter' ? (message.name as string) : parameter;
    for (const field of descriptor.fields) {
      if (field.message === undefined || field.message.file.name.startsWith('google/')) continue;
      const inner =
        field.oneof === undefined ? message[field.localName] : chosen(message[field.oneof.localName], field);
      for (const element of Array.isArray(inner) ? inner : [inner]) {
        if (element !== undefined) yield* parts(element as Message, field.message, name);
      }
    }
  }

  const chosen = (oneof: unknown, { localName }: DescField): unknown => {
    const { $case, value } = (oneof ?? {}) as { $case?: string; value?: unknown };
    return $case === localName ? value : undefined;
  };

  const isUnset = (value: unknown): boolean =>
    value === undefined ||
    value === 0 ||
    value === '' ||
    value === false ||
    (Array.isArray(value) && value.length === 0);

  /** A field that knows whether it was set may be set to what stands for nothing elsewhere. */
  const isSaid = (value: unknown, { presence }: DescField): boolean =>
    presence === FeatureSet_FieldPresence.EXPLICIT ? value !== undefined : !isUnset(value);

  it.each(Object.entries(scenarios))('%s gets the stated defaults, and no others', async (_, asked) => {
    const complete = await studies.unary(StudyServiceService.validateStudy, { study: asked });
    const requested = [...parts(asked as unknown as Message, messageNamed('Study'))];
    const completed = [...parts(complete as unknown as Message, messageNamed('Study'))];
    const seen = new Set<DescField>();
    for (const [message, descriptor, parameter] of completed) {
      const [before] = requested.find(([, other, name]) => other === descriptor && name === parameter) ?? [];
      for (const field of descriptor.fields) {
        // What was asked for, or set by the server.
        if (field.message !== undefined || !MESSAGES.includes(descriptor)) continue;
        const value = message[field.localName];
        if (before !== undefined && isSaid(before[field.localName], field)) {
          seen.add(field);
          continue;
        }
        const statement = statementFor(descriptor, field);
        const where = `${descriptor.name}.${field.name}`;
        if (statement === undefined) {
          expect(isUnset(value), `${where} is ${value} and its comment states no default`).toBe(true);
          continue;
        }
        seen.add(field);
        const text = valueIn(statement, (condition) => holds(condition, complete, asked, parameter));
        if (text === CHOSEN) continue;
        const expected = meant(text, field, message, complete);
        if (typeof expected === 'number') expect(value, `${where}: ${statement}`).toBeCloseTo(expected, 12);
        else expect(value, `${where}: ${statement}`).toEqual(expected);
      }
    }
    const unseen = stated
      .filter(({ message, field }) => !seen.has(field) && completed.some(([, other]) => other === message))
      .map(({ field }) => field.name);
    expect(unseen.filter((name) => !['stride', 'variant', 'steps', 'method'].includes(name))).toEqual([]);
  });
});

describe('the DMD service', () => {
  it('has the limits that the trainer assumes of one that does not tell', async () => {
    const { limits } = await dmd.unary(DmdServiceService.getDmdInfo, {});
    expect(limits).toEqual(DEFAULT_DMD_LIMITS);
  });

  /** A window that settles, with some noise, and one that only swings. */
  const noise = (t: number): number => Math.sin(12.9898 * t * t + 78.233) / 8;
  const windows = {
    settling: Array.from({ length: 14 }, (_, t) =>
      Float64Array.of(1 + 0.8 ** t + noise(t), -2 + noise(t + 20), 0.1 * 0.6 ** t),
    ),
    swinging: Array.from({ length: 14 }, (_, t) =>
      Float64Array.of(0.6 ** t * Math.cos(t) + noise(t) / 20, 0.7 ** t, 0.5 ** t),
    ),
  };

  async function analyze(rows: readonly Float64Array[], options: DmdOptions) {
    const { report } = await dmd.unary(DmdServiceService.analyzeWindow, {
      spec: { rows: rows.length, components: 3, options, priorNorms: [], scales: undefined },
      hypergradients: encodeRows(rows),
    });
    return { ...report, computeTime: undefined };
  }

  /** All options, those that are not given at their stated defaults. */
  function withDefaults(given: DmdOptions): DmdOptions {
    const holds = (condition: string): boolean => {
      switch (condition) {
        case 'in a study':
          return false;
        case 'with AFFINE':
          return given.variant === Variant.AFFINE;
        case 'with a stride above 1':
          return (given.stride ?? 1) > 1;
        default:
          throw new Error(`no test knows when "${condition}" holds`);
      }
    };
    const filled = messageNamed('DmdOptions').fields.map((field) => {
      const statement = statementFor(messageNamed('DmdOptions'), field);
      if (statement === undefined) throw new Error(`DmdOptions.${field.name} states no default`);
      const text = valueIn(statement, holds);
      const number = field.enum?.values.find(({ localName }) => localName === text)?.number;
      const { [field.localName as keyof DmdOptions]: value } = given;
      return [field.localName, value || (number ?? JSON.parse(text))];
    });
    return DmdOptions.fromPartial(Object.fromEntries(filled));
  }

  const scenarios: Record<string, Partial<DmdOptions>> = {
    'without any option': {},
    'of AFFINE': { variant: Variant.AFFINE },
    'with a stride': { stride: 3 },
    'of AFFINE with a stride': { variant: Variant.AFFINE, stride: 3 },
  };

  it.each(Object.entries(scenarios))('%s gives what the stated defaults give', async (_, scenario) => {
    const given = DmdOptions.fromPartial(scenario);
    for (const rows of Object.values(windows)) {
      expect(await analyze(rows, given)).toEqual(await analyze(rows, withDefaults(given)));
    }
  });

  /** Another value than the default, to see that the windows above can tell them apart. */
  const others: DmdOptions = {
    delays: 4,
    svdRank: 2,
    tolerance: 0.9,
    scaling: Scaling.NONE,
    includeContributions: true,
    variant: Variant.MEDIAN,
    clip: 0.3,
    ridge: 1,
    lastShare: 1,
    stride: 40,
    selection: Selection.NEAREST,
    anchor: Anchor.LAST,
  };

  it.each(Object.keys(others) as (keyof DmdOptions)[])(
    'gives something else with another %s',
    async (option) => {
      const differs = await Promise.all(
        Object.values(scenarios).flatMap((scenario) =>
          Object.values(windows).map(async (rows) => {
            const given = withDefaults(DmdOptions.fromPartial(scenario));
            const report = await analyze(rows, given);
            const other = await analyze(rows, { ...given, [option]: others[option] });
            return JSON.stringify(report) !== JSON.stringify(other);
          }),
        ),
      );
      expect(differs).toContain(true);
    },
  );
});

describe('an enumeration', () => {
  it.each(
    stated.flatMap((entry) =>
      entry.field.enum === undefined ? [] : [[entry.field.enum.name, entry] as const],
    ),
  )('%s says of 0 what the field says', (_, { field, statement }) => {
    expect(field.enum && commentOfZero(field.enum)).toBe(`The default, ${statement}.`);
  });
});
