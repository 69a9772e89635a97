import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specFromJson } from './json.ts';
import { fixed, float, space } from './space.ts';
import { someSpace, someSpec } from './testing/arbitrary.ts';
import { everything } from './testing/specifications.ts';
import { spaceFromYaml, spaceToYaml, specFromYaml, specToYaml } from './yaml.ts';

function thrown(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

describe('a specification as YAML', () => {
  it('comes back as it was, whatever it says', () => {
    expect(specFromYaml(specToYaml(everything))).toEqual(everything);
    fc.assert(
      fc.property(someSpec, (spec) => {
        expect(specFromYaml(specToYaml(spec))).toEqual(spec);
      }),
      { numRuns: 30 },
    );
  });

  it("is as short as the README's file", () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const [, text = ''] = readme.match(/```yaml\n([\s\S]*?)```/) ?? [];
    expect(specFromYaml(text)).toEqual({
      displayName: 'fashion, first try',
      problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd', batchSize: 128 },
      space: space({
        lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
        momentum: float({ min: 0, max: 1, init: [0.1, 0.5] }),
        weightDecay: fixed(5e-4),
      }),
      training: { steps: 200 },
      method: { estimator: 'glocal', window: 50 },
    });
  });

  it('is short when it is written', () => {
    const spec = specFromJson({
      displayName: 'fashion, first try',
      problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd' },
      space: { lr: { min: 1e-4, max: 1, init: 0.01, scale: 'log' }, weightDecay: 5e-4, batchSize: [64, 128] },
      training: { steps: 2_000, seeds: [0, 1] },
      method: { estimator: 'glocal', dmd: { delays: 10 } },
    });
    expect(specToYaml(spec)).toBe(`displayName: fashion, first try
problem: { dataset: fashion-mnist-10k, model: lenet, optimizer: sgd }
space:
  lr: { kind: float, min: 0.0001, max: 1, init: 0.01, scale: log }
  weightDecay: 0.0005
  batchSize: [ 64, 128 ]
training:
  steps: 2000
  seeds: [ 0, 1 ]
method:
  estimator: glocal
  dmd: { delays: 10 }
`);
  });

  it('writes what is too long for a line over several', () => {
    const options = Object.fromEntries(
      Array.from({ length: 9 }, (_, i) => [`option${i}`, `a value of ${i}`]),
    );
    const text = specToYaml({ ...everything, problem: { ...everything.problem, options } });
    expect(text).toContain('\n    option0: a value of 0\n    option1:');
    for (const line of text.split('\n')) {
      const balance = [...line].reduce(
        (sum, letter) => sum + Number(letter === '{') - Number(letter === '}'),
        0,
      );
      expect(balance, line).toBe(0);
    }
  });

  it('says little of a text that is no YAML at all', () => {
    const text = `a: \u0001${'\u0002x'.repeat(5_000)}: [`;
    const { message } = thrown(() => specFromYaml(text)) as Error;
    expect(message.length).toBeLessThan(1_000);
  });

  it('says at which line and column a text is no YAML', () => {
    const text = 'training:\n  steps: 100\n method: [\n';
    expect(thrown(() => specFromYaml(text))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      reason: 'NOT_READABLE',
      fieldViolations: expect.arrayContaining([
        { field: 'spec', description: expect.stringMatching(/^line 3, column \d+: /) },
      ]),
    });
    for (const text of ['training: 1\ntraining: 2', 'a: *nowhere', '--- 1\n--- 2', '{ [1]: 2 }']) {
      expect(
        thrown(() => specFromYaml(text)),
        text,
      ).toMatchObject({ reason: 'NOT_READABLE' });
    }
    expect(thrown(() => specFromYaml(null as never))).toMatchObject({ reason: 'NOT_READABLE' });
  });

  it('names the fields of what is wrong, also where nothing is written', () => {
    expect(thrown(() => specFromYaml(''))).toMatchObject({ fieldViolations: [{ field: 'spec' }] });
    expect(thrown(() => specFromYaml('space: { lr: { min: 0, max: 1, init: ten } }'))).toMatchObject({
      fieldViolations: expect.arrayContaining([
        { field: 'space.lr.init', description: '"ten" is not a finite number, or an array of them' },
      ]),
    });
  });
});

describe('a search space as YAML', () => {
  it('comes back as it was, whatever is in it', () => {
    fc.assert(
      fc.property(someSpace, (given) => {
        expect(spaceFromYaml(spaceToYaml(given))).toEqual(given);
      }),
      { numRuns: 30 },
    );
  });
});
