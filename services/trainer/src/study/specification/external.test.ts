import {
  Differentiation,
  Estimator,
  EvaluationPoint,
  Grouping,
  Method,
  RunMode,
  Scale,
  Study,
} from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { Checker } from './checker.ts';
import { completeExternal } from './external.ts';

const limits = { maxSteps: 1_000_000, maxTrials: 4, maxWindowRows: 512, maxComponents: 2_000 };
const float = (value: object, name = 'rate') => ({
  name,
  kind: { $case: 'float' as const, value: { min: 0, max: 1, initial: 0.5, ...value } },
});
const fixed = { name: 'depth', kind: { $case: 'fixed' as const, value: { value: 3 } } };

function complete({
  parameters = [float({})],
  ...rest
}: { parameters?: object[] } & Record<string, unknown>) {
  const check = new Checker();
  const study = completeExternal(
    Study.fromPartial({
      mode: RunMode.EXTERNAL,
      space: { parameters },
      training: { steps: 100 },
      method: { estimator: Estimator.GLOCAL },
      ...rest,
    }),
    limits,
    check,
  );
  return { study, fields: check.violations.map(({ field }) => field) };
}
const method = (fields: object) => ({
  method: Method.fromPartial({ estimator: Estimator.GLOCAL, ...fields }),
});

describe('a study whose client trains', () => {
  it('has parameters of any name, single, vectors and fixed, and no problem', () => {
    const parameters = [float({}, 'client.rate-1_x'), float({ size: 3 }, 'mix'), fixed];
    const { study, fields } = complete({ parameters });
    expect(fields).toEqual([]);
    expect(study.problem).toBeUndefined();
    expect(study.space?.parameters[1]?.kind?.value).toMatchObject({
      size: 3,
      scale: Scale.LOGIT,
      grouping: Grouping.NONE,
    });
    expect(study.method).toMatchObject({ window: 50, sigma: 20, outer: { rate: 0.6, maxLossRise: 0 } });
  });

  it('stays as it is when it is completed again', () => {
    const { study } = complete({ parameters: [float({ size: 3 })] });
    const check = new Checker();
    expect(completeExternal(Study.fromPartial(study), limits, check)).toEqual(study);
    expect(check.violations).toEqual([]);
  });

  it.each([
    ['problem', { problem: { dataset: 'tiny' } }],
    ['space.parameters[0]', { parameters: [float({}, 'learning rate')] }],
    ['space.parameters[0]', { parameters: [float({}, 'x'.repeat(64))] }],
    ['space.rate', { parameters: [float({}), float({})] }],
    ['space', { parameters: [fixed] }],
    ['space.net', { parameters: [{ name: 'net', kind: { $case: 'network', value: {} } }, float({})] }],
    ['space.rate.grouping', { parameters: [float({ grouping: Grouping.LAYER })] }],
    ['space.rate.size', { parameters: [float({ size: -1 })] }],
    ['space.rate.size', { parameters: [float({ size: 2_000_000_000 })] }],
    ['space.rate.initial', { parameters: [float({ initial: 2 })] }],
    [
      'space.depth.value',
      { parameters: [float({}), { name: 'depth', kind: { $case: 'fixed', value: { value: Number.NaN } } }] },
    ],
    ['method.estimator', method({ estimator: Estimator.FIXED })],
    ['method.estimator', method({ estimator: 99 })],
    ['method.evaluation', method({ evaluation: EvaluationPoint.LAST_ITERATE })],
    ['method.averaging', method({ averaging: 0.5 })],
    ['method.sensitivity_discount', method({ sensitivityDiscount: 0.5 })],
    ['method.differentiation', method({ differentiation: Differentiation.FORWARD })],
    ['method.reverse_steps', method({ reverseSteps: 3 })],
    ['method.interval', method({ interval: 100 })],
    ['method.interval', method({ interval: -1 })],
    ['method.warmup_windows', method({ warmupWindows: 2 })],
    ['method.warmup_window_steps', method({ warmupWindowSteps: 25 })],
    ['method.validation_sample', method({ validationSample: 3 })],
    ['method.validation_seed', method({ validationSeed: 3 })],
    ['method.tangent_examples', method({ tangentExamples: 3 })],
    ['method.sigma', method({ sigma: 3 })],
    ['training.steps', { training: { steps: 99 } }],
  ])('is refused by its field %s', (field, requested) => {
    expect(complete(requested).fields).toEqual([field]);
  });

  it('has no estimator that needs whole trainings', () => {
    const { fields } = complete(method({ estimator: Estimator.GLOBAL }));
    expect(fields).toContain('method.estimator');
  });

  it('has no more components than the DMD service takes, and no larger windows than are stored', () => {
    const vector = { parameters: [float({ size: 2_001 })] };
    expect(complete(vector).fields).toEqual(['space']);
    expect(complete({ ...vector, ...method({ estimator: Estimator.MEAN }) }).fields).toEqual([]);
    const wide = { parameters: [float({ size: 400_000 })] };
    expect(
      complete({ ...wide, ...method({ estimator: Estimator.MEAN, window: 100, sigma: 100 }) }).fields,
    ).toEqual(['method.sigma']);
  });
});
