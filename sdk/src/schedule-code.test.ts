import { describe, expect, it } from 'vitest';
import { GlocalError } from './error.ts';
import { Schedule } from './schedule.ts';
import type { CodeOptions, Framework } from './schedule-code.ts';

const schedule = new Schedule(
  ['lr', 'momentum', 'weightDecay', 'labelSmoothing', 'l2/conv1', 'l2/dense1'],
  [
    { step: 0, values: [0.01, 0.9, 5e-4, 0.1, 0, 0] },
    { step: 50, values: [0.1 + 0.2, 0.9, 5e-4, 0.1, 0, 1] },
    { step: 100, values: [1, 0.5, 5e-4, 0.1, 0, 1] },
  ],
);

describe('code', () => {
  it.each<[Framework, string[], string[]]>([
    [
      'pytorch',
      ['lr', 'momentum', 'weightDecay'],
      [
        'CHANGES = {',
        '    "lr": [(0, 0.01), (50, 0.30000000000000004), (100, 1.0)],',
        '    "momentum": [(0, 0.9), (100, 0.5)],',
        '    "weight_decay": [(0, 0.0005)],',
        '}',
      ],
    ],
    ['keras', ['lr'], ['    "learning_rate": [(0, 0.01), (50, 0.30000000000000004), (100, 1.0)],']],
    ['optax', ['momentum'], ['    "momentum": [(0, 0.9), (100, 0.5)],']],
    [
      'tfjs',
      ['lr', 'momentum'],
      [
        '  learningRate: [[0, 0.01], [50, 0.30000000000000004], [100, 1]],',
        '  momentum: [[0, 0.9], [100, 0.5]],',
      ],
    ],
  ])('for %s has the changes of each setting, under its name there', (framework, parameters, lines) => {
    expect(schedule.toCode(framework, { parameters })).toContain(`\n${lines.join('\n')}\n`);
  });

  it('has long lists on lines of a length that can be read', () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({ step: 50 * i, values: [Math.sqrt(i)] }));
    const lines = new Schedule(['lr'], rows).toCode('pytorch').split('\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(lines.join(' ')).toContain(`(${49 * 50}, 7.0),`);
  });

  it('says both of what PyTorch has in one', () => {
    const adam = new Schedule(['beta2'], [{ step: 0, values: [0.99] }]);
    expect(adam.toCode('pytorch')).toContain('values["betas"] = (group["betas"][0], values.pop("beta2"))');
  });

  it('knows names as Python has them, which clients that train themselves may use', () => {
    const external = new Schedule(['weight_decay'], [{ step: 0, values: [0.1] }]);
    expect(external.toCode('optax')).toContain('"weight_decay": [(0, 0.1)]');
  });
});

describe('a vector', () => {
  const layers = new Schedule(
    ['lr/conv1', 'lr/dense1', 'momentum'],
    [
      { step: 0, values: [0.01, 0.1, 0.9] },
      { step: 50, values: [0.02, 0.1, 0.9] },
    ],
  );

  it.each<Framework>(['pytorch', 'optax'])('has the changes of each layer in code for %s', (framework) => {
    const name = framework === 'pytorch' ? 'lr' : 'learning_rate';
    const lines = [
      `    "${name}": {`,
      '        "conv1": [(0, 0.01), (50, 0.02)],',
      '        "dense1": [(0, 0.1)],',
      '    },',
      '    "momentum": [(0, 0.9)],',
    ];
    expect(layers.toCode(framework)).toContain(`\n${lines.join('\n')}\n`);
  });

  it.each<Framework>(['keras', 'tfjs'])('is refused for %s, whose optimizers have one value', (framework) => {
    expect(() => layers.toCode(framework)).toThrow(
      expect.objectContaining({
        reason: 'NOT_ENCODABLE',
        fieldViolations: [
          {
            field: 'lr',
            description: expect.stringMatching(
              `^is a vector, and an optimizer of ${framework} has one value for all layers; pytorch and optax have one for each`,
            ),
          },
        ],
      }),
    );
    expect(layers.toCode(framework, { parameters: ['momentum'] })).toContain('momentum');
  });
});

it('refuses options that it does not know', () => {
  const options = { params: ['lr'] } as never;
  const schedule = new Schedule(['lr'], [{ step: 0, values: [0.1] }]);
  expect(() => schedule.toCode('keras', options)).toThrow('params: is unknown; the keys are parameters');
});

const refused = (framework: Framework, options?: CodeOptions): string[] => {
  try {
    schedule.toCode(framework, options);
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'NOT_ENCODABLE' });
    if (error instanceof GlocalError) {
      return error.fieldViolations.map(({ field, description }) => `${field}: ${description}`);
    }
  }
  return [];
};

describe('what no optimizer of a framework has', () => {
  it('is refused by its name, unless the options leave it out', () => {
    expect(refused('pytorch')).toEqual([
      expect.stringMatching(/^labelSmoothing: is no setting that code for pytorch knows/),
      expect.stringMatching(/^l2: is no setting/),
    ]);
    expect(refused('tfjs', { parameters: ['lr', 'weightDecay'] })).toEqual([
      expect.stringMatching(/^weightDecay: .*tfjs knows \(lr, momentum\)/),
    ]);
  });

  it('is refused when it is asked for, as what the schedule does not have is', () => {
    expect(refused('optax', { parameters: ['l2', 'lrr'] })).toEqual([
      'parameters: the schedule has no lrr',
      expect.stringMatching(/^l2: is no setting that code for optax knows/),
    ]);
    expect(refused('jax' as Framework)).toEqual(['framework: is not one of keras, tfjs, pytorch, optax']);
  });
});
